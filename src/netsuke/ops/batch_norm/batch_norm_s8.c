/* Batch normalization, int8, portable C99. See batch_norm.h. */
#include "batch_norm.h"
#include "nsk_fixed.h"

void nsk_batch_norm_s8(const nsk_batch_norm *p, const int8_t *x, int8_t *y)
{
    for (int32_t r = 0; r < p->rows; r++) {
        for (int32_t c = 0; c < p->channels; c++) {
            const int32_t sum = (*x++ - p->zero_x) * p->factor[c] + p->addend[c];
            const int32_t steps = nsk_rounding_right(sum, p->places[c]) + p->zero_y;
            *y++ = (int8_t)nsk_clamp(steps, p->low, p->high);
        }
    }
}
