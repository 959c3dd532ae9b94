/* Projection, gap and weight in one byte. See projection.h.
 * Sums are sixteen times what they mean: the weight stays in the upper half of its byte. */
#include "projection_row.h"

NSK_INLINE int32_t wide_sum(const nsk_projection *p, const int8_t *x, uint8_t row,
                            const uint8_t **codes)
{
    int32_t sum = nsk_projection_bias(p, row, 4);
    const uint8_t *w = *codes;
    for (uint8_t n = nsk_flash_u8(nsk_param(p->counts) + row); n; n--) {
        const uint8_t code = nsk_flash_u8(w++);
        x += code & 0x0F;
        sum += (int16_t)((int8_t)(code & 0xF0) * *x);
    }
    *codes = w;
    return sum;
}

#if defined(__AVR__) && defined(__GNUC__)

/* 16 cycles. */
#define ENTRY                                                                                      \
    "lpm %[w], Z+\n\t"                                                                             \
    "mov %[value], %[w]\n\t"                                                                       \
    "andi %[value], 0x0F\n\t"                                                                      \
    "add r26, %[value]\n\t"                                                                        \
    "adc r27, %[zero]\n\t"                                                                         \
    "ld %[value], X\n\t"                                                                           \
    "andi %[w], 0xF0\n\t"                                                                          \
    "muls %[w], %[value]\n\t"                                                                      \
    "sbc %[value], %[value]\n\t"                                                                   \
    "add %A[sum], r0\n\t"                                                                          \
    "adc %B[sum], r1\n\t"                                                                          \
    "adc %C[sum], %[value]\n\t"

NSK_INLINE nsk_int24 narrow_sum(const nsk_projection *p, const int8_t *x, uint8_t row,
                                const uint8_t **codes)
{
    nsk_int24 sum = (nsk_int24)nsk_projection_bias(p, row, 4);
    const uint8_t *at = *codes;
    uint8_t n = nsk_flash_u8(nsk_param(p->counts) + row), w, value;
    if (n) { /* two entries a round; an odd number begins with the second */
        __asm__ volatile("lsr %[n]\n\t"
                         "brcc 1f\n\t"
                         "inc %[n]\n\t"
                         "rjmp 2f\n"
                         "1:\n\t" ENTRY "2:\n\t" ENTRY "dec %[n]\n\t"
                         "brne 1b\n\t"
                         "clr __zero_reg__"
                         : [sum] "+r"(sum), "+z"(at),
                           "+x"(x), [n] "+r"(n), [w] "=&d"(w), [value] "=&d"(value)
                         : [zero] "r"((uint8_t)0)
                         : "memory");
    }
    *codes = at;
    return sum;
}

#else
#define narrow_sum wide_sum
#endif

NSK_PROJECTION_ROWS(nsk_projection_s8_nibbles, int8_t, 4, narrow_sum, wide_sum)
NSK_PROJECTION_ROWS(nsk_projection_s8_nibbles_wide, int16_t, 4, narrow_sum, wide_sum)
