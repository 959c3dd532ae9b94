/* Projection, gap and weight in one byte. See projection.h. */
#include "projection_row.h"

/* Sixteen times the sum of row `row`: the weight stays in the upper half of its byte. */
static inline int32_t row_sum(const nsk_projection *p, const int8_t *x, uint16_t row,
                              const uint8_t **codes)
{
    int32_t sum = nsk_projection_bias(p, row) * 16;
    const uint8_t *w = *codes;
    for (uint8_t n = nsk_flash_u8(nsk_param(p->counts) + row); n; n--) {
        const uint8_t code = nsk_flash_u8(w++);
        x += code & 0x0F;
        sum += (int16_t)((int8_t)(code & 0xF0) * *x);
    }
    *codes = w;
    return sum;
}

void nsk_projection_s8_nibbles(const nsk_projection *p, const int8_t *x, int8_t *y)
{
    const uint8_t *codes = nsk_param(p->codes);
    for (uint16_t k = 0; k < nsk_param(p->rows); k++) {
        y[k] = (int8_t)nsk_projection_end(p, row_sum(p, x, k, &codes), 4);
    }
}

void nsk_projection_s8_nibbles_wide(const nsk_projection *p, const int8_t *x, int16_t *y)
{
    const uint8_t *codes = nsk_param(p->codes);
    for (uint16_t k = 0; k < nsk_param(p->rows); k++) {
        y[k] = nsk_projection_end(p, row_sum(p, x, k, &codes), 4);
    }
}
