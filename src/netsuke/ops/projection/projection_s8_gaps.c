/* Projection, pairs of gap and weight. See projection.h. */
#include "projection_row.h"

NSK_INLINE int32_t wide_sum(const nsk_projection *p, const int8_t *x, uint8_t row,
                            const uint8_t **codes)
{
    int32_t sum = nsk_projection_bias(p, row, 0);
    const uint8_t *w = *codes;
    for (uint8_t n = nsk_flash_u8(nsk_param(p->counts) + row); n; n--) {
        x += nsk_flash_u8(w++);
        sum += (int16_t)(nsk_flash_i8(w++) * *x);
    }
    *codes = w;
    return sum;
}

#if defined(__AVR__) && defined(__GNUC__)

NSK_INLINE nsk_int24 narrow_sum(const nsk_projection *p, const int8_t *x, uint8_t row,
                                const uint8_t **codes)
{
    nsk_int24 sum = (nsk_int24)nsk_projection_bias(p, row, 0);
    const uint8_t *at = *codes;
    uint8_t n = nsk_flash_u8(nsk_param(p->counts) + row), w, value;
    if (n) { /* 19 cycles an entry */
        __asm__ volatile("1: lpm %[w], Z+\n\t"
                         "add r26, %[w]\n\t"
                         "adc r27, %[zero]\n\t"
                         "ld %[value], X\n\t"
                         "lpm %[w], Z+\n\t"
                         "muls %[w], %[value]\n\t"
                         "sbc %[w], %[w]\n\t"
                         "add %A[sum], r0\n\t"
                         "adc %B[sum], r1\n\t"
                         "adc %C[sum], %[w]\n\t"
                         "dec %[n]\n\t"
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

NSK_PROJECTION_ROWS(nsk_projection_s8_gaps, int8_t, 0, narrow_sum, wide_sum)
NSK_PROJECTION_ROWS(nsk_projection_s8_gaps_wide, int16_t, 0, narrow_sum, wide_sum)
