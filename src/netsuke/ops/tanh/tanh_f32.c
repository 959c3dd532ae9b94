/* The hyperbolic tangent, float32, portable C99. See tanh.h. */
#include "tanh.h"
#include "nsk_math.h"

void nsk_tanh_f32(const nsk_tanh_real *p, const float *x, float *y)
{
    for (int32_t i = 0; i < p->count; i++) {
        y[i] = nsk_tanh(x[i]);
    }
}
