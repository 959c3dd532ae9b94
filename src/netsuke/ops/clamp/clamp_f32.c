/* The clamp, float32, portable C99. See clamp.h. */
#include "clamp.h"

void nsk_clamp_f32(const nsk_clamp_real *p, const float *x, float *y)
{
    for (int32_t i = 0; i < p->count; i++) {
        y[i] = x[i] < p->low ? p->low : x[i] > p->high ? p->high : x[i];
    }
}
