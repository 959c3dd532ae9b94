/* Projection, element by element, two bytes an entry. See projection.h. */
#include "projection_stream.h"

NSK_INLINE void push(const nsk_projection *p, int8_t x, nsk_projection_sums *state)
{
    const uint8_t *code = nsk_param(p->codes) + state->place;
#if defined(__AVR__) && defined(__GNUC__)
    uint8_t head, w, t; /* 39 cycles an entry */
    __asm__ volatile("1: lpm %[head], Z+\n\t"
                     "lpm %[w], Z+\n\t"
                     "movw r26, %[sums]\n\t"
                     "mov %[t], %[head]\n\t"
                     "andi %[t], 0xFE\n\t"
                     "add r26, %[t]\n\t"
                     "adc r27, %[zero]\n\t"
                     "add r26, %[t]\n\t"
                     "adc r27, %[zero]\n\t"
                     "muls %[w], %[x]\n\t"
                     "sbc %[w], %[w]\n\t"
                     "ld %[t], X\n\t"
                     "add %[t], r0\n\t"
                     "st X+, %[t]\n\t"
                     "ld %[t], X\n\t"
                     "adc %[t], r1\n\t"
                     "st X+, %[t]\n\t"
                     "ld %[t], X\n\t"
                     "adc %[t], %[w]\n\t"
                     "st X+, %[t]\n\t"
                     "ld %[t], X\n\t"
                     "adc %[t], %[w]\n\t"
                     "st X, %[t]\n\t"
                     "sbrc %[head], 0\n\t"
                     "rjmp 1b\n\t"
                     "clr __zero_reg__"
                     : "+z"(code), [head] "=&r"(head), [w] "=&d"(w), [t] "=&d"(t)
                     : [sums] "r"(state->sum), [x] "d"(x), [zero] "r"((uint8_t)0)
                     : "r26", "r27", "memory");
#else
    uint8_t head;
    do {
        head = nsk_flash_u8(code++);
        state->sum[head >> 1] += (int16_t)(nsk_flash_i8(code++) * x);
    } while (head & 1);
#endif
    state->place = (uint16_t)(code - nsk_param(p->codes));
}

NSK_PROJECTION_STREAM(nsk_projection_s8_columns, int8_t, nsk_projection_sums, int32_t)
NSK_PROJECTION_STREAM(nsk_projection_s8_columns_wide, int16_t, nsk_projection_sums, int32_t)
