/* Addition, int8, portable C99. See add.h. */
#include "add.h"
#include "nsk_broadcast.h"
#include "nsk_fixed.h"

void nsk_add_s8(const nsk_add *p, const int8_t *a, const int8_t *b, int8_t *y)
{
    const int32_t row = p->extent[p->rank - 1];
    const int32_t next_a = p->step_a[p->rank - 1];
    const int32_t next_b = p->step_b[p->rank - 1];
    nsk_walk walk = {0};
    do {
        const int8_t *row_a = a + walk.a;
        const int8_t *row_b = b + walk.b;
        for (int32_t i = 0; i < row; i++, row_a += next_a, row_b += next_b) {
            const int32_t left = nsk_requantize_away((*row_a - p->zero_a) * (INT32_C(1) << 20),
                                                     p->multiplier_a, p->shift_a);
            const int32_t right = nsk_requantize_away((*row_b - p->zero_b) * (INT32_C(1) << 20),
                                                      p->multiplier_b, p->shift_b);
            *y++ = nsk_store_away_s8(left + right, p->multiplier_y, p->shift_y, p->zero_y, p->low,
                                     p->high);
        }
    } while (nsk_walk_next(&walk, p->rank, p->extent, p->step_a, p->step_b));
}
