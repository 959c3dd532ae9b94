/* The piecewise linear sigmoid, float32, portable C99. See hard_sigmoid.h. */
#include "hard_sigmoid.h"
#include "nsk_real.h"

void nsk_hard_sigmoid_f32(const nsk_hard_sigmoid_real *p, const float *x, float *y)
{
    for (int32_t i = 0; i < p->count; i++) {
        y[i] = nsk_clamp_f32(p->alpha * x[i] + p->beta, 0.0f, 1.0f);
    }
}
