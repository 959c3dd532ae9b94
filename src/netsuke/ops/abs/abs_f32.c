/* The absolute value, float32, portable C99. See abs.h. */
#include "abs.h"
#include "nsk_math.h"

void nsk_abs_f32(const nsk_abs_real *p, const float *x, float *y)
{
    for (int32_t i = 0; i < p->count; i++) {
        y[i] = nsk_fabs(x[i]);
    }
}
