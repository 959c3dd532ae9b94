/* Eight sums at a time: AVX2. See nsk_wide.h for what is named here.
 *
 * Activations are stored as int16, for VPMADDWD: its sums of two products never saturate. There is
 * no arithmetic shift of 64 bits: `add` is 2^63 larger than it should be, and what that adds to the
 * result is taken off in 32 bits.
 */
#ifndef NSK_AVX2_H
#define NSK_AVX2_H

#include "nsk_fixed.h"
#include "nsk_wide.h"

#define NSK_LANES 8
#define NSK_PARTS 2
#define NSK_GROUP 2
#define NSK_FLIP 0
#define NSK_PIXELS(vectors) ((vectors) > 1 ? 8 / (vectors) : 6) /* of a tile */
#define NSK_TAPS 2                                              /* of a depthwise group */
#define NSK_CHANNELS 16                                         /* of a depthwise block */
#define NSK_SCALES 56                                           /* words of a vector's scales */
typedef int16_t nsk_cell;

#if defined(__x86_64__) && defined(__GNUC__) && !defined(NSK_PLAIN)
#define NSK_WIDE_END 1
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2")
#endif
#include <immintrin.h>

typedef __m256i nsk_sums;
typedef __m256i nsk_weights;
typedef __m256i nsk_spread;

static inline __m256i nsk_load256(const void *at)
{
    return _mm256_loadu_si256((const __m256i *)at);
}

static inline __m256i nsk_widen16(const int8_t *at)
{
    return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)at));
}

static inline nsk_sums nsk_no_sums(void)
{
    return _mm256_setzero_si256();
}

static inline nsk_weights nsk_load_weights(const int8_t *w)
{
    return nsk_widen16(w);
}

static inline nsk_spread nsk_load_spread(const nsk_cell *x)
{
    int32_t word;
    memcpy(&word, x, sizeof word);
    return _mm256_set1_epi32(word);
}

static inline nsk_sums nsk_dot(nsk_sums sums, nsk_weights w, nsk_spread x)
{
    return _mm256_add_epi32(sums, _mm256_madd_epi16(w, x));
}

static inline void nsk_copy_cells(nsk_cell *to, const int8_t *x, int32_t count)
{
    for (; count >= 16; count -= 16, to += 16, x += 16) {
        _mm256_storeu_si256((__m256i *)(void *)to, nsk_widen16(x));
    }
    for (int32_t i = 0; i < count; i++) {
        to[i] = x[i];
    }
}

/* (sum * multiplier + add) >> right, in 64 bits, the even lanes and the odd ones. */
static inline __m256i nsk_scale(nsk_sums sums, const int32_t *scales)
{
    const __m256i even = _mm256_mul_epi32(sums, nsk_load256(scales));
    const __m256i odd = _mm256_mul_epi32(_mm256_srli_epi64(sums, 32), nsk_load256(scales + 8));
    const __m256i low = _mm256_srlv_epi64(_mm256_add_epi64(even, nsk_load256(scales + 16)),
                                          nsk_load256(scales + 32));
    const __m256i high = _mm256_srlv_epi64(_mm256_add_epi64(odd, nsk_load256(scales + 24)),
                                           nsk_load256(scales + 40));
    const __m256i both = _mm256_blend_epi32(low, _mm256_slli_epi64(high, 32), 0xAA);
    return _mm256_sub_epi32(both, nsk_load256(scales + 48));
}

static inline __m256i nsk_clamp_bytes(__m256i bytes, const nsk_limits *limits)
{
    return _mm256_min_epi8(_mm256_max_epi8(bytes, _mm256_set1_epi8((char)limits->low)),
                           _mm256_set1_epi8((char)limits->high));
}

static inline void nsk_store_bytes(int8_t *y, int32_t count, __m256i bytes)
{
    int8_t whole[32];
    if (count >= 32) {
        _mm256_storeu_si256((__m256i *)(void *)y, bytes);
    } else if (count == 16) {
        _mm_storeu_si128((__m128i *)(void *)y, _mm256_castsi256_si128(bytes));
    } else {
        _mm256_storeu_si256((__m256i *)(void *)whole, bytes);
        for (int32_t i = 0; i < count; i++) {
            y[i] = whole[i];
        }
    }
}

static inline void nsk_store4(int8_t *y, int32_t count, nsk_sums a, nsk_sums b, nsk_sums c,
                              nsk_sums d, const int32_t *scales, const nsk_limits *limits)
{
    const __m256i ab = _mm256_packs_epi32(nsk_scale(a, scales), nsk_scale(b, scales + 56));
    const __m256i cd = _mm256_packs_epi32(nsk_scale(c, scales + 112), nsk_scale(d, scales + 168));
    nsk_store_bytes(y, count < 32 ? count : 32,
                    nsk_clamp_bytes(_mm256_packs_epi16(ab, cd), limits));
}

static inline void nsk_store2(int8_t *y, int32_t count, nsk_sums a, nsk_sums b,
                              const int32_t *scales, const nsk_limits *limits)
{
    const __m256i ab = _mm256_packs_epi32(nsk_scale(a, scales), nsk_scale(b, scales + 56));
    const __m256i bytes = _mm256_permute4x64_epi64(_mm256_packs_epi16(ab, ab), 0x08);
    nsk_store_bytes(y, count < 16 ? count : 16, nsk_clamp_bytes(bytes, limits));
}

static inline void nsk_store1(int8_t *y, int32_t count, nsk_sums a, const int32_t *scales,
                              const nsk_limits *limits)
{
    const __m256i narrow = _mm256_packs_epi32(nsk_scale(a, scales), nsk_no_sums());
    const __m256i bytes = _mm256_packs_epi16(narrow, narrow);
    const __m256i order = _mm256_setr_epi32(0, 4, 0, 4, 0, 4, 0, 4);
    nsk_store_bytes(y, count < 8 ? count : 8,
                    nsk_clamp_bytes(_mm256_permutevar8x32_epi32(bytes, order), limits));
}

#define NSK_ELEMENTS 1 /* nsk_widen and so on: single elements, nothing summed */

static inline nsk_sums nsk_widen(const int8_t *x)
{
    return _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)x));
}

/* x * 2^left + offset */
static inline nsk_sums nsk_shifted(nsk_sums x, int32_t left, int32_t offset)
{
    return _mm256_add_epi32(_mm256_sll_epi32(x, _mm_cvtsi32_si128(left)),
                            _mm256_set1_epi32(offset));
}

static inline nsk_sums nsk_plus(nsk_sums a, nsk_sums b)
{
    return _mm256_add_epi32(a, b);
}

/* nsk_high of every lane. */
static inline nsk_sums nsk_high_lanes(nsk_sums x, int32_t multiplier)
{
    const __m256i factor = _mm256_set1_epi32(multiplier), half = _mm256_set1_epi64x(1 << 30);
    const __m256i even = _mm256_add_epi64(_mm256_mul_epi32(x, factor), half);
    const __m256i odd = _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(x, 32), factor), half);
    return _mm256_blend_epi32(_mm256_srli_epi64(even, 31), _mm256_slli_epi64(odd, 1), 0xAA);
}

/* (x + sign of x + round) >> right */
static inline nsk_sums nsk_away_lanes(nsk_sums x, int32_t round, int32_t right)
{
    const __m256i sum = _mm256_add_epi32(_mm256_srai_epi32(x, 31), _mm256_set1_epi32(round));
    return _mm256_sra_epi32(_mm256_add_epi32(x, sum), _mm_cvtsi32_si128(right));
}

static inline void nsk_store_lanes(int8_t *y, nsk_sums x, const nsk_limits *limits)
{
    const __m256i low = _mm256_max_epi32(x, _mm256_set1_epi32(limits->low));
    const __m256i words = _mm256_min_epi32(low, _mm256_set1_epi32(limits->high));
    const __m128i halves =
        _mm_packs_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    _mm_storel_epi64((__m128i *)(void *)y, _mm_packs_epi16(halves, halves));
}

/* Every channel by itself: 16 channels of one pixel; two taps become the halves of a lane. */
static inline void nsk_channels(int8_t *y, int32_t count, const nsk_cell *x, const int32_t *offsets,
                                int32_t groups, const int8_t *w, const int32_t *scales,
                                const nsk_limits *limits)
{
    __m256i s0 = nsk_no_sums(), s1 = s0;
    for (int32_t g = 0; g < groups; g++, offsets += 2, w += 32) {
        const __m256i t0 = nsk_load256(x + offsets[0]);
        const __m256i t1 = nsk_load256(x + offsets[1]);
        s0 = nsk_dot(s0, nsk_load_weights(w), _mm256_unpacklo_epi16(t0, t1));
        s1 = nsk_dot(s1, nsk_load_weights(w + 16), _mm256_unpackhi_epi16(t0, t1));
    }
    nsk_store2(y, count, s0, s1, scales, limits);
}
#else
#define NSK_SUM_OF(i) ((i) / NSK_GROUP)
#define NSK_CELL_OF(i) ((i) % NSK_GROUP)

static inline int64_t nsk_scaled_lane(int32_t sum, const int32_t *scales, int32_t lane,
                                      const nsk_limits *limits)
{
    (void)limits; /* the zero point is in what is added */
    const int32_t at = lane / 2 + lane % 2 * (NSK_LANES / 2);
    const int64_t product = (int64_t)sum * scales[2 * at];
    const uint64_t add = (uint32_t)scales[2 * (NSK_LANES + at)] |
                         (uint64_t)(uint32_t)scales[2 * (NSK_LANES + at) + 1] << 32;
    const uint64_t total = (uint64_t)product + add;
    const int32_t right = scales[2 * (2 * NSK_LANES + at)];
    return (int64_t)(total >> right) - (INT64_C(1) << (63 - right));
}
#include "nsk_plain_lanes.h"
#endif

#endif
