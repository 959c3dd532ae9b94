/* Multiplication, int8, portable C99. See mul.h. */
#include "mul.h"
#include "nsk_broadcast.h"
#include "nsk_fixed.h"

void nsk_mul_s8(const nsk_mul *p, const int8_t *a, const int8_t *b, int8_t *y)
{
    const int32_t row = p->extent[p->rank - 1];
    const int32_t next_a = p->step_a[p->rank - 1];
    const int32_t next_b = p->step_b[p->rank - 1];
    nsk_walk walk = {0};
    do {
        const int8_t *row_a = a + walk.a;
        const int8_t *row_b = b + walk.b;
        for (int32_t i = 0; i < row; i++, row_a += next_a, row_b += next_b) {
            const int32_t product = (*row_a - p->zero_a) * (*row_b - p->zero_b);
            *y++ = nsk_store_away_s8(product, p->multiplier, p->shift, p->zero_y, p->low, p->high);
        }
    } while (nsk_walk_next(&walk, p->rank, p->extent, p->step_a, p->step_b));
}
