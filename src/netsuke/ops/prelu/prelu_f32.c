/* The rectifier with a learned slope, float32, portable C99. See prelu.h. */
#include "prelu.h"
#include "nsk_broadcast.h"

void nsk_prelu_f32(const nsk_prelu_real *p, const float *a, const float *b, float *y)
{
    const int32_t row = p->extent[p->rank - 1];
    const int32_t next_a = p->step_a[p->rank - 1];
    const int32_t next_b = p->step_b[p->rank - 1];
    nsk_walk walk = {0};
    do {
        const float *row_a = a + walk.a;
        const float *row_b = b + walk.b;
        for (int32_t i = 0; i < row; i++, row_a += next_a, row_b += next_b) {
            *y++ = *row_a >= 0.0f ? *row_a : *row_b * *row_a;
        }
    } while (nsk_walk_next(&walk, p->rank, p->extent, p->step_a, p->step_b));
}
