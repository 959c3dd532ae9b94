/* The one integer arithmetic of netsuke; netsuke/ops/fixed_point.py is the same in Python.
 *
 *   high(x, m)    = floor((x * m + 2^30) / 2^31)
 *   requantize(x) = floor((high(x * 2^left, m) + 2^(right-1)) / 2^right)
 *
 * with left = max(shift, 0), right = max(-shift, 0) <= 31; the left shift saturates.
 * Right shifts of negative numbers are arithmetic on every compiler that is supported.
 */
#ifndef NSK_FIXED_H
#define NSK_FIXED_H

#include <stdint.h>

/* Cores whose multiplier yields 32 bits only get the product in four parts. */
#if defined(__ARM_ARCH_6M__) && !defined(NSK_SHORT_MULTIPLY)
#define NSK_SHORT_MULTIPLY 1
#endif

/* A function that must not be inlined, so that its loop keeps the registers. */
#if defined(__GNUC__)
#define NSK_NOINLINE __attribute__((noinline))
#else
#define NSK_NOINLINE
#endif

/* 0 <= multiplier. */
static inline int32_t nsk_high(int32_t x, int32_t multiplier)
{
#ifdef NSK_SHORT_MULTIPLY
    const int32_t above = x >> 16, upper = multiplier >> 16;
    const int32_t below = x & 0xffff, lower = multiplier & 0xffff;
    /* x * multiplier + 2^30 = (above * upper * 2^32) + (left + right) * 2^16 + less than 2^16 */
    const int32_t left = above * lower;
    const int32_t right =
        below * upper + (int32_t)((uint32_t)below * (uint32_t)lower >> 16) + (1 << 14);
    const int32_t carry = ((left & 0x7fff) + (right & 0x7fff)) >> 15;
    return above * upper * 2 + (left >> 15) + (right >> 15) + carry;
#else
    return (int32_t)(((int64_t)x * multiplier + (INT64_C(1) << 30)) >> 31);
#endif
}

static inline int32_t nsk_saturating_left(int32_t x, int32_t shift)
{
    const int32_t limit = INT32_MAX >> shift;
    if (x > limit) {
        return INT32_MAX;
    }
    if (x < -limit - 1) {
        return INT32_MIN;
    }
    return (int32_t)((uint32_t)x << shift);
}

/* floor((x + 2^(shift-1)) / 2^shift), 0 <= shift <= 31, for any x. */
static inline int32_t nsk_rounding_right(int32_t x, int32_t shift)
{
    return shift == 0 ? x : (x >> shift) + ((x >> (shift - 1)) & 1);
}

static inline int32_t nsk_requantize(int32_t x, int32_t multiplier, int32_t shift)
{
    if (shift > 0) {
        return nsk_high(nsk_saturating_left(x, shift), multiplier);
    }
    return nsk_rounding_right(nsk_high(x, multiplier), -shift);
}

/* The same with the ties of the last step away from zero, for elementwise operators. */
static inline int32_t nsk_requantize_away(int32_t x, int32_t multiplier, int32_t shift)
{
    if (shift > 0) {
        return nsk_high(nsk_saturating_left(x, shift), multiplier);
    }
    const int32_t scaled = nsk_high(x, multiplier);
    return nsk_rounding_right(scaled - (scaled < 0 && shift != 0), -shift);
}

static inline int32_t nsk_clamp(int32_t x, int32_t low, int32_t high)
{
    return x < low ? low : x > high ? high : x;
}

/* Scale an accumulator, add the zero point without overflow, clamp, narrow. */
static inline int8_t nsk_store_s8(int32_t sum, int32_t multiplier, int32_t shift, int32_t zero,
                                  int32_t low, int32_t high)
{
    const int32_t scaled = nsk_requantize(sum, multiplier, shift);
    return (int8_t)(nsk_clamp(scaled, low - zero, high - zero) + zero);
}

/* The same for elementwise operators, see nsk_requantize_away. */
static inline int8_t nsk_store_away_s8(int32_t sum, int32_t multiplier, int32_t shift, int32_t zero,
                                       int32_t low, int32_t high)
{
    const int32_t scaled = nsk_requantize_away(sum, multiplier, shift);
    return (int8_t)(nsk_clamp(scaled, low - zero, high - zero) + zero);
}

#endif
