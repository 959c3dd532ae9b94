/* The reciprocal square root, float32, portable C99. See rsqrt.h. */
#include "rsqrt.h"
#include "nsk_math.h"

void nsk_rsqrt_f32(const nsk_rsqrt_real *p, const float *x, float *y)
{
    for (int32_t i = 0; i < p->count; i++) {
        y[i] = 1.0f / nsk_sqrt(x[i]);
    }
}
