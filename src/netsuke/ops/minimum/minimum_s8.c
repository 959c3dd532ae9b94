/* The smaller of two, int8, portable C99. See minimum.h. */
#include "minimum.h"
#include "nsk_broadcast.h"

void nsk_minimum_s8(const nsk_minimum *p, const int8_t *a, const int8_t *b, int8_t *y)
{
    const int32_t row = p->extent[p->rank - 1];
    const int32_t next_a = p->step_a[p->rank - 1];
    const int32_t next_b = p->step_b[p->rank - 1];
    nsk_walk walk = {0};
    do {
        const int8_t *row_a = a + walk.a;
        const int8_t *row_b = b + walk.b;
        for (int32_t i = 0; i < row; i++, row_a += next_a, row_b += next_b) {
            const int8_t left = p->table_a ? p->table_a[*row_a + 128] : *row_a;
            const int8_t right = p->table_b ? p->table_b[*row_b + 128] : *row_b;
            *y++ = left < right ? left : right;
        }
    } while (nsk_walk_next(&walk, p->rank, p->extent, p->step_a, p->step_b));
}
