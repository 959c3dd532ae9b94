/* The exponential function, float32, portable C99. See exp.h. */
#include "exp.h"
#include "nsk_math.h"

void nsk_exp_f32(const nsk_exp_real *p, const float *x, float *y)
{
    for (int32_t i = 0; i < p->count; i++) {
        y[i] = nsk_exp(x[i]);
    }
}
