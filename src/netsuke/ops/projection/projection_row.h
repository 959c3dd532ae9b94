/* What the kernels of the projection share: the bias of a row and the end of one. */
#ifndef NSK_PROJECTION_ROW_H
#define NSK_PROJECTION_ROW_H

#include "projection.h"
#include "nsk_flash.h"

static inline int32_t nsk_projection_bias(const nsk_projection *p, uint16_t row)
{
    if (nsk_param(p->wide_bias)) {
        return nsk_flash_i32((const int32_t *)nsk_param(p->bias) + row);
    }
    return nsk_flash_i16((const int16_t *)nsk_param(p->bias) + row);
}

/* floor(sum / 2^shift), clamped; `places` more bits are dropped for codings that scale the sum. */
static inline int16_t nsk_projection_end(const nsk_projection *p, int32_t sum, uint8_t places)
{
    const int32_t y = sum >> (uint8_t)(nsk_param(p->shift) + places);
    const int16_t low = nsk_param(p->low), high = nsk_param(p->high);
    return (int16_t)(y < low ? low : y > high ? high : y);
}

#endif
