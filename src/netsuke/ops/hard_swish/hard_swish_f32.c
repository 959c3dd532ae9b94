/* The piecewise quadratic swish, float32, portable C99. See hard_swish.h. */
#include "hard_swish.h"
#include "nsk_real.h"

void nsk_hard_swish_f32(const nsk_hard_swish_real *p, const float *x, float *y)
{
    for (int32_t i = 0; i < p->count; i++) {
        y[i] = x[i] * nsk_clamp_f32(x[i] + 3.0f, 0.0f, 6.0f) / 6.0f;
    }
}
