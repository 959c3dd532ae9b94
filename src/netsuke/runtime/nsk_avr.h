/* Sums of products of int8 weights in program memory and activations in RAM.
 *
 *   nsk_dot24_*(&w, x, n, start) = start + sum over i < n of w[i] * x[i],  -2^23 <= it < 2^23
 *   nsk_dot16_*(&w, x, n, start) = the same,                               -2^15 <= it < 2^15
 *
 * and w is n further then. They count modulo 2^24 and 2^16. x is int8 (s8),
 * uint8 (u8) or int16 (s16). On an AVR the loops are assembly, cycles a product: dot24 14 (s8, u8) or
 * 23 (s16), dot16 12 or 19; one cycle more where n is not known to be below 256. Elsewhere they are
 * the same bits in C.
 */
#ifndef NSK_AVR_H
#define NSK_AVR_H

#include "nsk_flash.h"

#if defined(__AVR__) && defined(__GNUC__)

/* The steps of one product; muls wants both factors in r16..r31, mulsu in r16..r23. */
#define NSK_DOT_LOAD_S8 "lpm %[a], Z+\n\tld %[b], X+\n\tmuls %[a], %[b]\n\t"
#define NSK_DOT_LOAD_U8 "lpm %[a], Z+\n\tld %[b], X+\n\tmulsu %[a], %[b]\n\t"
#define NSK_DOT_ADD16 "add %A[sum], r0\n\tadc %B[sum], r1\n\t"
#define NSK_DOT_ADD24                                                                              \
    "sbc %[a], %[a]\n\tadd %A[sum], r0\n\tadc %B[sum], r1\n\tadc %C[sum], %[a]\n\t"
#define NSK_DOT_STEP_S16_16                                                                        \
    "lpm %[a], Z+\n\tld %[b], X+\n\tmulsu %[a], %[b]\n\tadd %A[sum], r0\n\tadc %B[sum], r1\n\t"    \
    "ld %[b], X+\n\tmuls %[a], %[b]\n\tadd %B[sum], r0\n\t"
#define NSK_DOT_STEP_S16_24                                                                        \
    "lpm %[a], Z+\n\tld %[b], X+\n\tmulsu %[a], %[b]\n\tsbc %[c], %[c]\n\t"                        \
    "add %A[sum], r0\n\tadc %B[sum], r1\n\tadc %C[sum], %[c]\n\t"                                  \
    "ld %[b], X+\n\tmuls %[a], %[b]\n\tadd %B[sum], r0\n\tadc %C[sum], r1\n\t"

#define NSK_DOT_LOOP(step, count)                                                                  \
    __asm__ volatile("1:\n\t" step count "brne 1b\n\tclr __zero_reg__"                             \
                     : [sum] "+r"(sum), "+z"(at),                                                  \
                       "+x"(x), [n] "+w"(n), [a] "=&a"(a), [b] "=&a"(b), [c] "=&a"(c)              \
                     :                                                                             \
                     : "memory")

#define NSK_DOT(name, type, wide, step)                                                            \
    static inline __attribute__((always_inline)) wide name(const int8_t **w, const type *x,        \
                                                           uint16_t n, wide sum)                   \
    {                                                                                              \
        const int8_t *at = *w;                                                                     \
        uint8_t a, b, c;                                                                           \
        if (n == 0) {                                                                              \
            return sum;                                                                            \
        }                                                                                          \
        if (__builtin_constant_p(n) && n < 256) {                                                  \
            NSK_DOT_LOOP(step, "dec %A[n]\n\t");                                                   \
        } else {                                                                                   \
            NSK_DOT_LOOP(step, "sbiw %[n], 1\n\t");                                                \
        }                                                                                          \
        *w = at;                                                                                   \
        return sum;                                                                                \
    }

typedef __int24 nsk_int24;

#else

#define NSK_DOT(name, type, wide, step)                                                            \
    static inline wide name(const int8_t **w, const type *x, uint16_t n, wide start)               \
    {                                                                                              \
        int32_t sum = start;                                                                       \
        for (uint16_t i = 0; i < n; i++) {                                                         \
            sum += (int32_t)nsk_flash_i8((*w)++) * x[i];                                           \
        }                                                                                          \
        return (wide)sum;                                                                          \
    }

typedef int32_t nsk_int24;

#endif

NSK_DOT(nsk_dot16_s8, int8_t, int16_t, NSK_DOT_LOAD_S8 NSK_DOT_ADD16)
NSK_DOT(nsk_dot16_u8, uint8_t, int16_t, NSK_DOT_LOAD_U8 NSK_DOT_ADD16)
NSK_DOT(nsk_dot16_s16, int16_t, int16_t, NSK_DOT_STEP_S16_16)
NSK_DOT(nsk_dot24_s8, int8_t, nsk_int24, NSK_DOT_LOAD_S8 NSK_DOT_ADD24)
NSK_DOT(nsk_dot24_u8, uint8_t, nsk_int24, NSK_DOT_LOAD_U8 NSK_DOT_ADD24)
NSK_DOT(nsk_dot24_s16, int16_t, nsk_int24, NSK_DOT_STEP_S16_24)

#endif
