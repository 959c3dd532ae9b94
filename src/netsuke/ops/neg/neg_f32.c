/* The negative, float32, portable C99. See neg.h. */
#include "neg.h"

void nsk_neg_f32(const nsk_neg_real *p, const float *x, float *y)
{
    for (int32_t i = 0; i < p->count; i++) {
        y[i] = -x[i];
    }
}
