/* The square root, float32, portable C99. See sqrt.h. */
#include "sqrt.h"
#include "nsk_math.h"

void nsk_sqrt_f32(const nsk_sqrt_real *p, const float *x, float *y)
{
    for (int32_t i = 0; i < p->count; i++) {
        y[i] = nsk_sqrt(x[i]);
    }
}
