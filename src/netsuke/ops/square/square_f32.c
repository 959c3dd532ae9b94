/* The square, float32, portable C99. See square.h. */
#include "square.h"

void nsk_square_f32(const nsk_square_real *p, const float *x, float *y)
{
    for (int32_t i = 0; i < p->count; i++) {
        y[i] = x[i] * x[i];
    }
}
