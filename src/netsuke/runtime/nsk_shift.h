/* The ends of sums: a shift and a clamp, as small cores do them best.
 *
 *   nsk_end24(sum, shift, low, high) = clamp(sum >> shift, low, high),  -2^23 <= sum < 2^23
 *   nsk_product8(a, g)               = (a * g) >> 8,                     g an int8
 *
 * Shifts are arithmetic. On a core of 8 bits a shift by 8 moves no bit at all, and one by more
 * works on what is left; elsewhere both are the plain expressions.
 */
#ifndef NSK_SHIFT_H
#define NSK_SHIFT_H

#include "nsk_avr.h"

/* A call with constants, as a function of its own, would read them from flash one by one. */
#if defined(__AVR__) && defined(__GNUC__)
#define NSK_INLINE static inline __attribute__((always_inline))
#else
#define NSK_INLINE static inline
#endif

NSK_INLINE int16_t nsk_end24(nsk_int24 sum, uint8_t shift, int16_t low, int16_t high)
{
    if (shift >= 8) {
        const int16_t y = (int16_t)((int16_t)(sum >> 8) >> (shift - 8));
        return y < low ? low : y > high ? high : y;
    }
    const nsk_int24 y = sum >> shift;
    return (int16_t)(y < low ? low : y > high ? high : y);
}

NSK_INLINE int16_t nsk_product8(int16_t a, int8_t g)
{
    const int16_t upper = (int16_t)((int8_t)(a >> 8) * g);
    const int16_t lower = (int16_t)((int16_t)(uint8_t)a * g);
    return (int16_t)(upper + (lower >> 8));
}

#endif
