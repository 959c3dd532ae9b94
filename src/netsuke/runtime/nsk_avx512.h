/* Sixteen sums at a time: AVX-512 with VNNI. See nsk_wide.h for what is named here.
 *
 * Activations are stored as x + 128, since VPDPBUSD multiplies unsigned with signed bytes; the
 * compiler of the model has folded -128 * sum of w into `add`.
 */
#ifndef NSK_AVX512_H
#define NSK_AVX512_H

#include "nsk_fixed.h"
#include "nsk_wide.h"

#define NSK_LANES 16
#define NSK_PARTS 4
#define NSK_GROUP 4
#define NSK_TAPS 4      /* of a depthwise group */
#define NSK_CHANNELS 64 /* of a depthwise block */
#define NSK_SCALES 96   /* words of a vector's scales */
#ifndef NSK_FLIP
#define NSK_FLIP 0x80
typedef uint8_t nsk_cell;
#else
typedef int8_t nsk_cell; /* AMX multiplies signed bytes: NSK_FLIP is 0 */
#endif
#define NSK_PIXELS(vectors) 6 /* of a tile */

#if defined(__x86_64__) && defined(__GNUC__) && !defined(NSK_PLAIN)
#define NSK_WIDE_END 1
#if defined(__clang__)
#pragma clang attribute push(                                                                      \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")
#endif
#include <immintrin.h>

typedef __m512i nsk_sums;
typedef __m512i nsk_weights;
typedef __m512i nsk_spread;

static inline nsk_sums nsk_no_sums(void)
{
    return _mm512_setzero_si512();
}

static inline nsk_weights nsk_load_weights(const int8_t *w)
{
    return _mm512_loadu_si512(w);
}

static inline nsk_spread nsk_load_spread(const nsk_cell *x)
{
    int32_t word;
    memcpy(&word, x, sizeof word);
    return _mm512_set1_epi32(word);
}

static inline nsk_sums nsk_dot(nsk_sums sums, nsk_weights w, nsk_spread x)
{
#if defined(__clang__)
    return _mm512_dpbusd_epi32(sums, x, w);
#else /* gcc's intrinsic copies its sums to the stack and back when many are alive */
    __asm__("vpdpbusd %2, %1, %0" : "+v"(sums) : "v"(x), "v"(w));
    return sums;
#endif
}

/* The first `count` of 64 bytes. */
static inline __mmask64 nsk_first(int32_t count)
{
    return count >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << count) - 1;
}

static inline void nsk_copy_cells(nsk_cell *to, const int8_t *x, int32_t count)
{
    const __m512i flip = _mm512_set1_epi8((char)NSK_FLIP);
    for (; count >= 64; count -= 64, to += 64, x += 64) {
        _mm512_storeu_si512(to, _mm512_xor_si512(_mm512_loadu_si512(x), flip));
    }
    const __mmask64 rest = nsk_first(count);
    _mm512_mask_storeu_epi8(to, rest, _mm512_xor_si512(_mm512_maskz_loadu_epi8(rest, x), flip));
}

/* (sum * multiplier + add) >> right, in 64 bits, the even lanes and the odd ones. */
static inline __m512i nsk_scale(nsk_sums sums, const int32_t *scales)
{
    const __m512i even = _mm512_mul_epi32(sums, _mm512_loadu_si512(scales));
    const __m512i odd =
        _mm512_mul_epi32(_mm512_srli_epi64(sums, 32), _mm512_loadu_si512(scales + 16));
    const __m512i low = _mm512_srav_epi64(_mm512_add_epi64(even, _mm512_loadu_si512(scales + 32)),
                                          _mm512_loadu_si512(scales + 64));
    const __m512i high = _mm512_srav_epi64(_mm512_add_epi64(odd, _mm512_loadu_si512(scales + 48)),
                                           _mm512_loadu_si512(scales + 80));
    return _mm512_mask_shuffle_epi32(low, 0xAAAA, high, _MM_PERM_CCAA);
}

static inline __m512i nsk_clamp_bytes(__m512i bytes, const nsk_limits *limits)
{
    return _mm512_min_epi8(_mm512_max_epi8(bytes, _mm512_set1_epi8((char)limits->low)),
                           _mm512_set1_epi8((char)limits->high));
}

static inline void nsk_store1(int8_t *y, int32_t count, nsk_sums a, const int32_t *scales,
                              const nsk_limits *limits)
{
    const __m128i narrow = _mm512_cvtsepi32_epi8(nsk_scale(a, scales));
    const __m512i bytes = nsk_clamp_bytes(_mm512_castsi128_si512(narrow), limits);
    if (count >= 16) {
        _mm_storeu_si128((__m128i *)(void *)y, _mm512_castsi512_si128(bytes));
    } else {
        _mm512_mask_storeu_epi8(y, nsk_first(count), bytes);
    }
}

static inline void nsk_store2(int8_t *y, int32_t count, nsk_sums a, nsk_sums b,
                              const int32_t *scales, const nsk_limits *limits)
{
    const __m512i pair = _mm512_packs_epi32(nsk_scale(a, scales), nsk_scale(b, scales + 96));
    const __m512i bytes =
        nsk_clamp_bytes(_mm512_castsi256_si512(_mm512_cvtsepi16_epi8(pair)), limits);
    if (count >= 32) {
        _mm256_storeu_si256((__m256i *)(void *)y, _mm512_castsi512_si256(bytes));
    } else {
        _mm512_mask_storeu_epi8(y, nsk_first(count), bytes);
    }
}

static inline void nsk_store4(int8_t *y, int32_t count, nsk_sums a, nsk_sums b, nsk_sums c,
                              nsk_sums d, const int32_t *scales, const nsk_limits *limits)
{
    const __m512i ab = _mm512_packs_epi32(nsk_scale(a, scales), nsk_scale(b, scales + 96));
    const __m512i cd = _mm512_packs_epi32(nsk_scale(c, scales + 192), nsk_scale(d, scales + 288));
    const __m512i bytes = nsk_clamp_bytes(_mm512_packs_epi16(ab, cd), limits);
    if (count >= 64) {
        _mm512_storeu_si512(y, bytes);
    } else {
        _mm512_mask_storeu_epi8(y, nsk_first(count), bytes);
    }
}

#define NSK_ELEMENTS 1 /* nsk_widen and so on: single elements, nothing summed */

static inline nsk_sums nsk_widen(const int8_t *x)
{
    return _mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)(const void *)x));
}

/* x * 2^left + offset */
static inline nsk_sums nsk_shifted(nsk_sums x, int32_t left, int32_t offset)
{
    return _mm512_add_epi32(_mm512_sll_epi32(x, _mm_cvtsi32_si128(left)),
                            _mm512_set1_epi32(offset));
}

static inline nsk_sums nsk_plus(nsk_sums a, nsk_sums b)
{
    return _mm512_add_epi32(a, b);
}

/* nsk_high of every lane. */
static inline nsk_sums nsk_high_lanes(nsk_sums x, int32_t multiplier)
{
    const __m512i factor = _mm512_set1_epi32(multiplier), half = _mm512_set1_epi64(1 << 30);
    const __m512i even = _mm512_add_epi64(_mm512_mul_epi32(x, factor), half);
    const __m512i odd = _mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64(x, 32), factor), half);
    return _mm512_mask_blend_epi32(0xAAAA, _mm512_srli_epi64(even, 31), _mm512_slli_epi64(odd, 1));
}

/* (x + sign of x + round) >> right */
static inline nsk_sums nsk_away_lanes(nsk_sums x, int32_t round, int32_t right)
{
    const __m512i sum = _mm512_add_epi32(_mm512_srai_epi32(x, 31), _mm512_set1_epi32(round));
    return _mm512_sra_epi32(_mm512_add_epi32(x, sum), _mm_cvtsi32_si128(right));
}

static inline void nsk_store_lanes(int8_t *y, nsk_sums x, const nsk_limits *limits)
{
    const __m512i low = _mm512_max_epi32(x, _mm512_set1_epi32(limits->low));
    const __m512i bytes = _mm512_min_epi32(low, _mm512_set1_epi32(limits->high));
    _mm_storeu_si128((__m128i *)(void *)y, _mm512_cvtepi32_epi8(bytes));
}

/* Every channel by itself: 64 channels of one pixel; four taps become the bytes of a lane. */
static inline void nsk_channels(int8_t *y, int32_t count, const nsk_cell *x, const int32_t *offsets,
                                int32_t groups, const int8_t *w, const int32_t *scales,
                                const nsk_limits *limits)
{
    const __mmask64 mask = nsk_first(count);
    __m512i s0 = nsk_no_sums(), s1 = s0, s2 = s0, s3 = s0;
    for (int32_t g = 0; g < groups; g++, offsets += 4, w += 256) {
        const __m512i t0 = _mm512_maskz_loadu_epi8(mask, x + offsets[0]);
        const __m512i t1 = _mm512_maskz_loadu_epi8(mask, x + offsets[1]);
        const __m512i t2 = _mm512_maskz_loadu_epi8(mask, x + offsets[2]);
        const __m512i t3 = _mm512_maskz_loadu_epi8(mask, x + offsets[3]);
        const __m512i below = _mm512_unpacklo_epi8(t0, t1), above = _mm512_unpackhi_epi8(t0, t1);
        const __m512i under = _mm512_unpacklo_epi8(t2, t3), over = _mm512_unpackhi_epi8(t2, t3);
        s0 = nsk_dot(s0, nsk_load_weights(w), _mm512_unpacklo_epi16(below, under));
        s1 = nsk_dot(s1, nsk_load_weights(w + 64), _mm512_unpackhi_epi16(below, under));
        s2 = nsk_dot(s2, nsk_load_weights(w + 128), _mm512_unpacklo_epi16(above, over));
        s3 = nsk_dot(s3, nsk_load_weights(w + 192), _mm512_unpackhi_epi16(above, over));
    }
    nsk_store4(y, count, s0, s1, s2, s3, scales, limits);
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
    return (int64_t)total >> right;
}
#include "nsk_plain_lanes.h"
#endif

#endif
