/* From int8 to int8 of another scale, portable C99. See requantize.h. */
#include "requantize.h"
#include "nsk_fixed.h"

void nsk_requantize_s8(const nsk_requantize_scale *p, const int8_t *x, int8_t *y)
{
    const int32_t whole = p->count & ~15;
    for (int32_t i = 0; i < whole; i++) {
        y[i] = nsk_store_s8(x[i] - p->zero_x, p->multiplier, p->shift, p->zero_y, -128, 127);
    }
    for (int32_t i = whole; i < p->count; i++) {
        y[i] = nsk_store_away_s8(x[i] - p->zero_x, p->multiplier, p->shift, p->zero_y, -128, 127);
    }
}
