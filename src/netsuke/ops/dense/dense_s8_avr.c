/* Fully connected layer, int8, tables in program memory, for cores of eight bits. See dense.h.
 *
 * The zero point of x is folded into b. */
#if defined(__AVR__)
#define NSK_SHORT_MULTIPLY 1
#endif
#include "dense.h"
#include "nsk_avr.h"
#include "nsk_fixed.h"

void nsk_dense_s8_avr(const nsk_dense_flash *p, const int8_t *x, const int8_t *w, const int32_t *b,
                      int8_t *y)
{
    const uint16_t depth = nsk_param(p->depth);
    const int16_t zero = nsk_param(p->output_zero);
    for (uint16_t r = nsk_param(p->rows); r; r--, x += depth) {
        const int8_t *row = w;
        for (uint16_t k = 0; k < nsk_param(p->units); k++) {
            const int32_t sum = nsk_dot24_s8(&row, x, depth, (nsk_int24)nsk_flash_i32(b + k));
            *y++ = nsk_store_s8(sum, nsk_flash_i32(nsk_param(p->multiplier) + k),
                                nsk_flash_i8(nsk_param(p->shift) + k), zero, nsk_param(p->low),
                                nsk_param(p->high));
        }
    }
}
