/* What the kernels of the projection share: the bias of a row, the end of one, and all rows. */
#ifndef NSK_PROJECTION_ROW_H
#define NSK_PROJECTION_ROW_H

#include "projection.h"
#include "nsk_shift.h"

/* The bias, times 2^places for codings that scale the sum. */
NSK_INLINE int32_t nsk_projection_bias(const nsk_projection *p, uint8_t row, uint8_t places)
{
    const int32_t bias = nsk_param(p->wide_bias)
                             ? nsk_flash_i32((const int32_t *)nsk_param(p->bias) + row)
                             : nsk_flash_i16((const int16_t *)nsk_param(p->bias) + row);
    return nsk_param(p->scaled_bias) ? bias : bias * (1 << places);
}

/* floor(sum / 2^shift), clamped; `places` more bits are dropped for codings that scale the sum. */
NSK_INLINE int16_t nsk_projection_end(const nsk_projection *p, int32_t sum, uint8_t places)
{
    const uint8_t shift = (uint8_t)(nsk_param(p->shift) + places);
    const int16_t low = nsk_param(p->low), high = nsk_param(p->high);
    if (nsk_param(p->narrow)) { /* bytes move faster than bits */
        const uint8_t up =
            nsk_param(p->narrow) == 2 && shift > 3 && shift < 8 ? (uint8_t)(8 - shift) : 0;
        const nsk_int24 scaled = (nsk_int24)sum * (nsk_int24)(1 << up);
        return nsk_end24(scaled, (uint8_t)(shift + up), low, high);
    }
    const int32_t y = sum >> shift;
    return (int16_t)(y < low ? low : y > high ? high : y);
}

/* Both functions of a coding, from `narrow_sum` (sums of 24 bits) and `wide_sum` (of 32), which
 * take (p, x, row, codes), go on in `codes` and scale the sum by 2^places. */
#define NSK_PROJECTION_ROWS(name, type, places, narrow_sum, wide_sum)                              \
    void name(const nsk_projection *p, const int8_t *x, type *y)                                   \
    {                                                                                              \
        const uint8_t *codes = nsk_param(p->codes);                                                \
        for (uint8_t k = 0; k < nsk_param(p->rows); k++) {                                         \
            const int32_t sum = nsk_param(p->narrow) ? (int32_t)narrow_sum(p, x, k, &codes)        \
                                                     : wide_sum(p, x, k, &codes);                  \
            *y++ = (type)nsk_projection_end(p, sum, places);                                       \
        }                                                                                          \
    }

#endif
