/* The rectifier with a learned slope, int8, portable C99. See prelu.h. */
#include "prelu.h"
#include "nsk_broadcast.h"
#include "nsk_fixed.h"

void nsk_prelu_s8(const nsk_prelu *p, const int8_t *a, const int8_t *b, int8_t *y)
{
    const int32_t row = p->extent[p->rank - 1];
    const int32_t next_a = p->step_a[p->rank - 1];
    const int32_t next_b = p->step_b[p->rank - 1];
    nsk_walk walk = {0};
    do {
        const int8_t *row_a = a + walk.a;
        const int8_t *row_b = b + walk.b;
        for (int32_t i = 0; i < row; i++, row_a += next_a, row_b += next_b) {
            const int32_t x = *row_a - p->zero_x;
            const int32_t product = x * (*row_b - p->zero_slope);
            *y++ = x >= 0 ? nsk_store_away_s8(x, p->multiplier_above, p->shift_above, p->zero_y,
                                              -128, 127)
                          : nsk_store_away_s8(product, p->multiplier_below, p->shift_below,
                                              p->zero_y, -128, 127);
        }
    } while (nsk_walk_next(&walk, p->rank, p->extent, p->step_a, p->step_b));
}
