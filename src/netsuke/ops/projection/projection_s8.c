/* Projection, every weight a byte. See projection.h. */
#include "projection_row.h"

NSK_INLINE int32_t wide_sum(const nsk_projection *p, const int8_t *x, uint8_t row,
                            const uint8_t **codes)
{
    int32_t sum = nsk_projection_bias(p, row, 0);
    const uint8_t *w = *codes;
    for (uint16_t j = nsk_param(p->features); j; j--) {
        sum += (int16_t)(nsk_flash_i8(w++) * *x++);
    }
    *codes = w;
    return sum;
}

NSK_INLINE nsk_int24 narrow_sum(const nsk_projection *p, const int8_t *x, uint8_t row,
                                const uint8_t **codes)
{
    const int8_t *w = (const int8_t *)*codes;
    const nsk_int24 bias = (nsk_int24)nsk_projection_bias(p, row, 0);
    const nsk_int24 sum = nsk_dot24_s8(&w, x, nsk_param(p->features), bias);
    *codes = (const uint8_t *)w;
    return sum;
}

NSK_PROJECTION_ROWS(nsk_projection_s8, int8_t, 0, narrow_sum, wide_sum)
NSK_PROJECTION_ROWS(nsk_projection_s8_wide, int16_t, 0, narrow_sum, wide_sum)
