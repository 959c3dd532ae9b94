/* Projection, pairs of gap and weight. See projection.h. */
#include "projection_row.h"

/* The sum of row `row`. */
static inline int32_t row_sum(const nsk_projection *p, const int8_t *x, uint16_t row,
                              const uint8_t **codes)
{
    int32_t sum = nsk_projection_bias(p, row);
    const uint8_t *w = *codes;
    for (uint8_t n = nsk_flash_u8(nsk_param(p->counts) + row); n; n--) {
        x += nsk_flash_u8(w++);
        sum += (int16_t)(nsk_flash_i8(w++) * *x);
    }
    *codes = w;
    return sum;
}

void nsk_projection_s8_gaps(const nsk_projection *p, const int8_t *x, int8_t *y)
{
    const uint8_t *codes = nsk_param(p->codes);
    for (uint16_t k = 0; k < nsk_param(p->rows); k++) {
        y[k] = (int8_t)nsk_projection_end(p, row_sum(p, x, k, &codes), 0);
    }
}

void nsk_projection_s8_gaps_wide(const nsk_projection *p, const int8_t *x, int16_t *y)
{
    const uint8_t *codes = nsk_param(p->codes);
    for (uint16_t k = 0; k < nsk_param(p->rows); k++) {
        y[k] = nsk_projection_end(p, row_sum(p, x, k, &codes), 0);
    }
}
