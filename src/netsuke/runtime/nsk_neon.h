/* Four sums at a time: NEON of AArch64, with SDOT where NSK_DOTPROD is defined before. See
 * nsk_wide.h for what is named here.
 *
 * Without SDOT two products meet in 16 bits before they are added to a sum (SMULL, SMLAL2, SADALP),
 * which is exact while no weight is -128. The roundings of nsk_fixed.h are those of SQRDMULH and
 * SRSHL.
 */
#ifndef NSK_NEON_H
#define NSK_NEON_H

#include "nsk_fixed.h"
#include "nsk_wide.h"

#define NSK_LANES 4
#define NSK_PARTS 1
#define NSK_GROUP 4
#define NSK_FLIP 0
#define NSK_TAPS 1      /* of a depthwise group */
#define NSK_CHANNELS 16 /* of a depthwise block */
#define NSK_SCALES 12   /* words of a vector's scales: biases, multipliers, shifts */
#ifdef NSK_DOTPROD
#define NSK_PIXELS(vectors) 6 /* of a tile */
#else
#define NSK_PIXELS(vectors) 4
#endif
typedef int8_t nsk_cell;

#if defined(__aarch64__) && defined(__ARM_NEON) && !defined(NSK_PLAIN)
#ifdef NSK_DOTPROD
#define NSK_WIDE_END 1
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("arch=armv8.2-a+dotprod")
#endif
#endif
#include <arm_neon.h>

typedef int32x4_t nsk_sums;
typedef int8x16_t nsk_weights;
typedef int8x16_t nsk_spread;

static inline nsk_sums nsk_no_sums(void)
{
    return vdupq_n_s32(0);
}

static inline nsk_weights nsk_load_weights(const int8_t *w)
{
    return vld1q_s8(w);
}

#ifdef NSK_DOTPROD
static inline nsk_spread nsk_load_spread(const nsk_cell *x)
{
    int32_t word;
    memcpy(&word, x, sizeof word);
    return vreinterpretq_s8_s32(vdupq_n_s32(word));
}

static inline nsk_sums nsk_dot(nsk_sums sums, nsk_weights w, nsk_spread x)
{
    return vdotq_s32(sums, w, x);
}
#else
/* Cells 0 and 1 four times, then 2 and 3. */
static inline nsk_spread nsk_load_spread(const nsk_cell *x)
{
    int16_t halves[2];
    memcpy(halves, x, sizeof halves);
    return vreinterpretq_s8_s16(vcombine_s16(vdup_n_s16(halves[0]), vdup_n_s16(halves[1])));
}

static inline nsk_sums nsk_dot(nsk_sums sums, nsk_weights w, nsk_spread x)
{
    const int16x8_t first = vmull_s8(vget_low_s8(w), vget_low_s8(x));
    return vpadalq_s16(sums, vmlal_high_s8(first, w, x));
}
#endif

static inline void nsk_copy_cells(nsk_cell *to, const int8_t *x, int32_t count)
{
    memcpy(to, x, (size_t)count);
}

static inline int32x4_t nsk_scale(nsk_sums sums, const int32_t *scales)
{
    const int32x4_t sum = vaddq_s32(sums, vld1q_s32(scales));
    return vrshlq_s32(vqrdmulhq_s32(sum, vld1q_s32(scales + 4)), vld1q_s32(scales + 8));
}

/* Eight bytes of two vectors of sums. */
static inline int8x8_t nsk_narrow(nsk_sums a, nsk_sums b, const int32_t *scales,
                                  const nsk_limits *limits)
{
    const int16x8_t both = vcombine_s16(vqmovn_s32(nsk_scale(a, scales)),
                                        vqmovn_s32(nsk_scale(b, scales + NSK_SCALES)));
    const int8x8_t bytes = vqmovn_s16(vqaddq_s16(both, vdupq_n_s16((int16_t)limits->zero)));
    return vmin_s8(vmax_s8(bytes, vdup_n_s8((int8_t)limits->low)), vdup_n_s8((int8_t)limits->high));
}

static inline void nsk_store_bytes(int8_t *y, int32_t count, const int8_t *bytes)
{
    for (int32_t i = 0; i < count; i++) {
        y[i] = bytes[i];
    }
}

static inline void nsk_store4(int8_t *y, int32_t count, nsk_sums a, nsk_sums b, nsk_sums c,
                              nsk_sums d, const int32_t *scales, const nsk_limits *limits)
{
    const int8x16_t bytes = vcombine_s8(nsk_narrow(a, b, scales, limits),
                                        nsk_narrow(c, d, scales + 2 * NSK_SCALES, limits));
    int8_t whole[16];
    if (count >= 16) {
        vst1q_s8(y, bytes);
    } else {
        vst1q_s8(whole, bytes);
        nsk_store_bytes(y, count, whole);
    }
}

static inline void nsk_store2(int8_t *y, int32_t count, nsk_sums a, nsk_sums b,
                              const int32_t *scales, const nsk_limits *limits)
{
    const int8x8_t bytes = nsk_narrow(a, b, scales, limits);
    int8_t whole[8];
    if (count >= 8) {
        vst1_s8(y, bytes);
    } else {
        vst1_s8(whole, bytes);
        nsk_store_bytes(y, count, whole);
    }
}

static inline void nsk_store1(int8_t *y, int32_t count, nsk_sums a, const int32_t *scales,
                              const nsk_limits *limits)
{
    const int16x4_t narrow = vqmovn_s32(nsk_scale(a, scales));
    const int16x8_t moved =
        vqaddq_s16(vcombine_s16(narrow, narrow), vdupq_n_s16((int16_t)limits->zero));
    const int8x8_t bytes = vmin_s8(vmax_s8(vqmovn_s16(moved), vdup_n_s8((int8_t)limits->low)),
                                   vdup_n_s8((int8_t)limits->high));
    int8_t whole[8];
    vst1_s8(whole, bytes);
    nsk_store_bytes(y, count < 4 ? count : 4, whole);
}

#define NSK_ELEMENTS 1 /* nsk_widen and so on: single elements, nothing summed */

static inline nsk_sums nsk_widen(const int8_t *x)
{
    const int32_t words[4] = {x[0], x[1], x[2], x[3]};
    return vld1q_s32(words);
}

/* x * 2^left + offset */
static inline nsk_sums nsk_shifted(nsk_sums x, int32_t left, int32_t offset)
{
    return vaddq_s32(vshlq_s32(x, vdupq_n_s32(left)), vdupq_n_s32(offset));
}

static inline nsk_sums nsk_plus(nsk_sums a, nsk_sums b)
{
    return vaddq_s32(a, b);
}

/* nsk_high of every lane. */
static inline nsk_sums nsk_high_lanes(nsk_sums x, int32_t multiplier)
{
    return vqrdmulhq_n_s32(x, multiplier);
}

/* (x + sign of x + round) >> right */
static inline nsk_sums nsk_away_lanes(nsk_sums x, int32_t round, int32_t right)
{
    const int32x4_t sum = vaddq_s32(vsraq_n_s32(x, x, 31), vdupq_n_s32(round));
    return vshlq_s32(sum, vdupq_n_s32(-right));
}

static inline void nsk_store_lanes(int8_t *y, nsk_sums x, const nsk_limits *limits)
{
    const int32x4_t low = vmaxq_s32(x, vdupq_n_s32(limits->low));
    const int16x4_t halves = vmovn_s32(vminq_s32(low, vdupq_n_s32(limits->high)));
    const int8x8_t bytes = vmovn_s16(vcombine_s16(halves, halves));
    vst1_lane_s32((int32_t *)(void *)y, vreinterpret_s32_s8(bytes), 0);
}

/* Every channel by itself: 16 channels of one pixel, two taps at a time. */
static inline void nsk_channels(int8_t *y, int32_t count, const nsk_cell *x, const int32_t *offsets,
                                int32_t groups, const int8_t *w, const int32_t *scales,
                                const nsk_limits *limits)
{
    int32x4_t s0 = nsk_no_sums(), s1 = s0, s2 = s0, s3 = s0;
    for (int32_t g = 0; g < groups; g += 2, w += 32) {
        const int8x16_t x0 = vld1q_s8(x + offsets[g]), w0 = vld1q_s8(w);
        int16x8_t low = vmull_s8(vget_low_s8(x0), vget_low_s8(w0));
        int16x8_t high = vmull_high_s8(x0, w0);
        if (g + 1 < groups) {
            const int8x16_t x1 = vld1q_s8(x + offsets[g + 1]), w1 = vld1q_s8(w + 16);
            low = vmlal_s8(low, vget_low_s8(x1), vget_low_s8(w1));
            high = vmlal_high_s8(high, x1, w1);
        }
        s0 = vaddw_s16(s0, vget_low_s16(low));
        s1 = vaddw_high_s16(s1, low);
        s2 = vaddw_s16(s2, vget_low_s16(high));
        s3 = vaddw_high_s16(s3, high);
    }
    nsk_store4(y, count, s0, s1, s2, s3, scales, limits);
}
#else
#ifdef NSK_DOTPROD
#define NSK_SUM_OF(i) ((i) / 4)
#define NSK_CELL_OF(i) ((i) % 4)
#else
#define NSK_SUM_OF(i) ((i) % 8 / 2)
#define NSK_CELL_OF(i) ((i) / 8 * 2 + (i) % 2)
#endif

static inline int64_t nsk_scaled_lane(int32_t sum, const int32_t *scales, int32_t lane,
                                      const nsk_limits *limits)
{
    return (int64_t)nsk_requantize(sum + scales[lane], scales[4 + lane], scales[8 + lane]) +
           limits->zero;
}
#include "nsk_plain_lanes.h"
#endif

#endif
