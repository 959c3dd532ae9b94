/* The larger of two, float32, portable C99. See maximum.h. */
#include "maximum.h"
#include "nsk_broadcast.h"

void nsk_maximum_f32(const nsk_maximum_real *p, const float *a, const float *b, float *y)
{
    const int32_t row = p->extent[p->rank - 1];
    const int32_t next_a = p->step_a[p->rank - 1];
    const int32_t next_b = p->step_b[p->rank - 1];
    nsk_walk walk = {0};
    do {
        const float *row_a = a + walk.a;
        const float *row_b = b + walk.b;
        for (int32_t i = 0; i < row; i++, row_a += next_a, row_b += next_b) {
            *y++ = *row_a > *row_b ? *row_a : *row_b;
        }
    } while (nsk_walk_next(&walk, p->rank, p->extent, p->step_a, p->step_b));
}
