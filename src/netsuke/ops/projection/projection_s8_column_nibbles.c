/* Projection, element by element, one byte an entry. See projection.h. */
#include "projection_stream.h"

NSK_INLINE void push(const nsk_projection *p, int8_t x, nsk_projection_short_sums *state)
{
    const uint8_t *code = nsk_param(p->codes) + state->place;
#if defined(__AVR__) && defined(__GNUC__)
    uint8_t w, value; /* 27 cycles an entry */
    __asm__ volatile("1: lpm %[w], Z+\n\t"
                     "movw r26, %[sums]\n\t"
                     "mov %[value], %[w]\n\t"
                     "andi %[value], 0x0E\n\t"
                     "add r26, %[value]\n\t"
                     "adc r27, %[zero]\n\t"
                     "bst %[w], 0\n\t"
                     "asr %[w]\n\t"
                     "asr %[w]\n\t"
                     "asr %[w]\n\t"
                     "asr %[w]\n\t"
                     "muls %[w], %[x]\n\t"
                     "ld %[value], X\n\t"
                     "add %[value], r0\n\t"
                     "st X+, %[value]\n\t"
                     "ld %[value], X\n\t"
                     "adc %[value], r1\n\t"
                     "st X, %[value]\n\t"
                     "brts 1b\n\t"
                     "clr __zero_reg__"
                     : "+z"(code), [w] "=&d"(w), [value] "=&d"(value)
                     : [sums] "r"(state->sum), [x] "d"(x), [zero] "r"((uint8_t)0)
                     : "r26", "r27", "memory");
#else
    uint8_t entry;
    do {
        entry = nsk_flash_u8(code++);
        int16_t *sum = state->sum + ((entry & 0x0E) >> 1);
        *sum = (int16_t)(*sum + ((int8_t)entry >> 4) * x);
    } while (entry & 1);
#endif
    state->place = (uint16_t)(code - nsk_param(p->codes));
}

NSK_PROJECTION_STREAM(nsk_projection_s8_column_nibbles, int8_t, nsk_projection_short_sums, int16_t)
NSK_PROJECTION_STREAM(nsk_projection_s8_column_nibbles_wide, int16_t, nsk_projection_short_sums,
                      int16_t)
