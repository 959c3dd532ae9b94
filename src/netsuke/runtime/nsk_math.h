/* Elementary functions in float32 without libm: relative error below 1e-6 where the result is a
 * normal number, and the same bits on every machine with IEEE 754 arithmetic, in hardware or in
 * software. They rely on -ffp-contract=off: a fused multiply-add would round differently.
 * The polynomials are near-minimax fits of relative error, made for these ranges.
 */
#ifndef NSK_MATH_H
#define NSK_MATH_H

#include <stdint.h>

#define NSK_INFINITY (nsk_from_bits(0x7f800000u))

static inline float nsk_from_bits(uint32_t bits)
{
    const union {
        uint32_t bits;
        float real;
    } both = {.bits = bits};
    return both.real;
}

static inline uint32_t nsk_to_bits(float real)
{
    const union {
        float real;
        uint32_t bits;
    } both = {.real = real};
    return both.bits;
}

static inline float nsk_fabs(float x)
{
    return nsk_from_bits(nsk_to_bits(x) & 0x7fffffffu);
}

/* The nearest integer, halves away from zero; NaN becomes 0, numbers beyond +-2^24 stop there. */
static inline int32_t nsk_round(float x)
{
    if (!(x > -16777216.0f)) {
        return x < 0.0f ? -16777216 : 0;
    }
    if (x > 16777216.0f) {
        return 16777216;
    }
    const int32_t whole = (int32_t)x;
    const float rest = x - (float)whole; /* exact */
    return whole + (rest >= 0.5f) - (rest <= -0.5f);
}

/* 2^n for -126 <= n <= 127. */
static inline float nsk_power_of_two(int32_t n)
{
    return nsk_from_bits((uint32_t)(n + 127) << 23);
}

/* e^x = 2^n * e^r with |r| <= ln(2) / 2. */
static inline float nsk_exp(float x)
{
    if (!(x < 88.73f)) {
        return x < NSK_INFINITY ? NSK_INFINITY : x; /* infinity and NaN stay */
    }
    if (x < -104.0f) {
        return 0.0f;
    }
    const int32_t n = (int32_t)(x * 1.44269504f + (x < 0.0f ? -0.5f : 0.5f));
    const float r = (x - (float)n * 0.693359375f) + (float)n * 2.12194440e-4f;
    const float tail =
        0.5f + r * (0.166665733f + r * (0.0416668616f + r * (8.36373959e-3f + r * 1.39015412e-3f)));
    const float y = 1.0f + (r + r * r * tail);
    const int32_t half = n / 2; /* in two steps, for results near the ends of the range */
    return y * nsk_power_of_two(half) * nsk_power_of_two(n - half);
}

/* ln x = n * ln(2) + 2 * atanh((m - 1) / (m + 1)), sqrt(1/2) <= m < sqrt(2). */
static inline float nsk_log(float x)
{
    if (!(x > 0.0f)) {
        return x == 0.0f ? -NSK_INFINITY : nsk_from_bits(0x7fc00000u);
    }
    if (x == NSK_INFINITY) {
        return x;
    }
    int32_t n = 0;
    if (x < 1.17549435e-38f) { /* subnormal */
        x *= 8388608.0f;
        n = -23;
    }
    uint32_t bits = nsk_to_bits(x);
    n += (int32_t)(bits >> 23) - 127;
    bits = (bits & 0x007fffffu) | 0x3f800000u;
    if (bits >= 0x3fb504f3u) { /* sqrt(2) */
        bits -= 0x00800000u;
        n++;
    }
    const float f = nsk_from_bits(bits) - 1.0f;
    const float s = f / (2.0f + f);
    const float z = s * s;
    const float q = 0.666666687f + z * (0.400001317f + z * (0.285497367f + z * 0.233579412f));
    /* 2s = f - s * f exactly in real numbers; f alone is exact in float. */
    const float low = s * (z * q - f) + (float)n * -2.12194440e-4f;
    return (float)n * 0.693359375f + (f + low);
}

static inline float nsk_sigmoid(float x)
{
    const float e = nsk_exp(x < 0.0f ? x : -x); /* at most 1, so that nothing overflows */
    return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}

static inline float nsk_tanh(float x)
{
    const float size = nsk_fabs(x);
    if (size < 0.6f) {
        const float z = x * x;
        const float q =
            -0.333333284f +
            z * (0.133327007f + z * (-0.0538417026f + z * (0.0209561884f + z * -6.03950815e-3f)));
        return x + x * z * q;
    }
    const float y = 1.0f - 2.0f / (nsk_exp(2.0f * size) + 1.0f);
    return x < 0.0f ? -y : y;
}

/* 1 - erf(t) for t >= 0.9: e^(-t^2) * R((t - 2) / (t + 2)) / (1 + 2t). */
static inline float nsk_erfc_tail(float t)
{
    if (t > 10.5f) {
        return 0.0f;
    }
    const float u = (t - 2.0f) / (t + 2.0f);
    float r = -1.49735983e-3f;
    r = r * u + 1.08513958e-3f;
    r = r * u + 8.76971893e-3f;
    r = r * u - 8.01004469e-3f;
    r = r * u - 0.0542266294f;
    r = r * u + 0.164050117f;
    r = r * u - 0.166030139f;
    r = r * u - 0.0927638113f;
    r = r * u + 1.27697837f;
    /* t^2 = head^2 + (t - head)(t + head), the first exactly, or the error would grow by t^2. */
    const float head = nsk_from_bits(nsk_to_bits(t) & 0xfffff000u);
    const float power = nsk_exp(-head * head) * nsk_exp((head - t) * (head + t));
    return power * r / (1.0f + 2.0f * t);
}

/* erf(x) for |x| < 1. */
static inline float nsk_erf_small(float x)
{
    const float z = x * x;
    float q = 7.85386364e-5f;
    q = q * z - 8.01019429e-4f;
    q = q * z + 5.18832775e-3f;
    q = q * z - 0.0268538129f;
    q = q * z + 0.112835854f;
    q = q * z - 0.37612626f;
    q = q * z + 1.12837911f;
    return x * q;
}

static inline float nsk_erf(float x)
{
    const float size = nsk_fabs(x);
    if (size < 1.0f) {
        return nsk_erf_small(x);
    }
    if (x != x) {
        return x;
    }
    const float y = 1.0f - nsk_erfc_tail(size);
    return x < 0.0f ? -y : y;
}

/* (1 + erf(x / sqrt(2))) / 2, precise in both tails; the error of x / sqrt(2) counts x^2 times,
 * so that far out, where the result is 1e-37, it is 1e-5 of it. */
static inline float nsk_normal_cdf(float x)
{
    const float t = x * 0.707106781f;
    if (x != x) {
        return x;
    }
    if (nsk_fabs(t) < 0.9f) {
        return 0.5f + 0.5f * nsk_erf_small(t);
    }
    const float tail = 0.5f * nsk_erfc_tail(nsk_fabs(t));
    return x < 0.0f ? tail : 1.0f - tail;
}

/* The correctly rounded square root: the same bits as a hardware instruction. */
static inline float nsk_sqrt(float x)
{
#if defined(__ARM_FP) && (__ARM_FP & 4) && !defined(__SOFTFP__)
    float y;
    __asm__("vsqrt.f32 %0, %1" : "=t"(y) : "t"(x));
    return y;
#else
    if (!(x > 0.0f) || x == NSK_INFINITY) {
        return x == 0.0f || x > 0.0f ? x : nsk_from_bits(0x7fc00000u);
    }
    int32_t n = 0;
    if (x < 1.17549435e-38f) { /* subnormal */
        x *= 16777216.0f;
        n = -12;
    }
    uint32_t bits = nsk_to_bits(x);
    const int32_t exponent = (int32_t)(bits >> 23) - 127;
    const uint32_t odd = (uint32_t)exponent & 1u;
    n += (exponent - (int32_t)odd) / 2;
    bits = (bits & 0x007fffffu) | 0x00800000u;
    /* root = floor(sqrt(mantissa * 2^25)) has 25 bits, the last one for rounding. */
    const uint64_t square = (uint64_t)bits << (25u + odd);
    const float m = nsk_from_bits((bits & 0x007fffffu) | (odd ? 0x40000000u : 0x3f800000u));
    float guess = nsk_from_bits((nsk_to_bits(m) >> 1) + 0x1fc00000u);
    guess = 0.5f * (guess + m / guess);
    guess = 0.5f * (guess + m / guess);
    uint32_t root = (uint32_t)(guess * 16777216.0f);
    while ((uint64_t)root * root > square) {
        root--;
    }
    while ((uint64_t)(root + 1u) * (root + 1u) <= square) {
        root++;
    }
    root = (root + 1u) >> 1; /* never a tie: a root of 25 bits cannot end in exactly a half */
    return nsk_from_bits(root - 0x00800000u + ((uint32_t)(n + 127) << 23));
#endif
}

#endif
