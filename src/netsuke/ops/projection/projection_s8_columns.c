/* Projection, element by element, two bytes an entry. See projection.h. */
#include "projection_stream.h"

NSK_INLINE void push(const nsk_projection *p, int8_t x, nsk_projection_sums *state)
{
    const uint8_t *code = nsk_param(p->codes) + state->place;
    uint8_t row;
    do {
        row = nsk_flash_u8(code++);
        state->sum[row >> 1] += (int16_t)(nsk_flash_i8(code++) * x);
    } while (row & 1);
    state->place = (uint16_t)(code - nsk_param(p->codes));
}

NSK_PROJECTION_STREAM(nsk_projection_s8_columns, int8_t, nsk_projection_sums, int32_t)
NSK_PROJECTION_STREAM(nsk_projection_s8_columns_wide, int16_t, nsk_projection_sums, int32_t)
