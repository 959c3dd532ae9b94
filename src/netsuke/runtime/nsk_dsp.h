/* Armv7E-M DSP instructions that the fast int8 kernels use, and the same in plain C.
 *
 * A word holds two int16 lanes, low lane first. A byte pair (0, 2) or (1, 3) of a word is widened
 * into such lanes by one instruction, so int8 data is consumed four bytes a load.
 *
 *   NSK_DSP is defined where the instructions are used; everywhere else the C below computes the
 *   same bits, so that one source file serves the device and the host.
 */
#ifndef NSK_DSP_H
#define NSK_DSP_H

#include <stdint.h>
#include <string.h>

#if defined(__ARM_FEATURE_DSP) && defined(__thumb2__) && defined(__GNUC__)
#define NSK_DSP 1
#endif

/* Four bytes, first byte in the low bits whatever the byte order; any alignment. */
static inline uint32_t nsk_load4(const int8_t *bytes)
{
#ifdef NSK_DSP
    uint32_t word;
    __builtin_memcpy(&word, bytes, 4); /* a load, even where memcpy is no builtin */
    return word;
#else
    return (uint32_t)(uint8_t)bytes[0] | (uint32_t)(uint8_t)bytes[1] << 8 |
           (uint32_t)(uint8_t)bytes[2] << 16 | (uint32_t)(uint8_t)bytes[3] << 24;
#endif
}

/* Lanes (low, high). */
static inline uint32_t nsk_lanes(int32_t low, int32_t high)
{
    return (uint32_t)(uint16_t)low | (uint32_t)(uint16_t)high << 16;
}

static inline int32_t nsk_low(uint32_t lanes)
{
    return (int16_t)(uint16_t)lanes;
}

static inline int32_t nsk_top(uint32_t lanes)
{
    return (int16_t)(uint16_t)(lanes >> 16);
}

/* Bytes 0 and 2, widened. */
static inline uint32_t nsk_even(uint32_t bytes)
{
#ifdef NSK_DSP
    uint32_t lanes;
    __asm__("sxtb16 %0, %1" : "=r"(lanes) : "r"(bytes));
    return lanes;
#else
    return nsk_lanes((int8_t)(uint8_t)bytes, (int8_t)(uint8_t)(bytes >> 16));
#endif
}

/* Bytes 1 and 3, widened. */
static inline uint32_t nsk_odd(uint32_t bytes)
{
#ifdef NSK_DSP
    uint32_t lanes;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(lanes) : "r"(bytes));
    return lanes;
#else
    return nsk_lanes((int8_t)(uint8_t)(bytes >> 8), (int8_t)(uint8_t)(bytes >> 24));
#endif
}

/* Lane by lane, modulo 2^16. */
static inline uint32_t nsk_add16(uint32_t a, uint32_t b)
{
#ifdef NSK_DSP
    uint32_t lanes;
    __asm__("sadd16 %0, %1, %2" : "=r"(lanes) : "r"(a), "r"(b));
    return lanes;
#else
    return nsk_lanes(nsk_low(a) + nsk_low(b), nsk_top(a) + nsk_top(b));
#endif
}

static inline uint32_t nsk_sub16(uint32_t a, uint32_t b)
{
#ifdef NSK_DSP
    uint32_t lanes;
    __asm__("ssub16 %0, %1, %2" : "=r"(lanes) : "r"(a), "r"(b));
    return lanes;
#else
    return nsk_lanes(nsk_low(a) - nsk_low(b), nsk_top(a) - nsk_top(b));
#endif
}

/* Lanes plus bytes 0 and 2, or 1 and 3, widened. */
static inline uint32_t nsk_add_even(uint32_t lanes, uint32_t bytes)
{
#ifdef NSK_DSP
    uint32_t result;
    __asm__("sxtab16 %0, %1, %2" : "=r"(result) : "r"(lanes), "r"(bytes));
    return result;
#else
    return nsk_add16(lanes, nsk_even(bytes));
#endif
}

static inline uint32_t nsk_add_odd(uint32_t lanes, uint32_t bytes)
{
#ifdef NSK_DSP
    uint32_t result;
    __asm__("sxtab16 %0, %1, %2, ror #8" : "=r"(result) : "r"(lanes), "r"(bytes));
    return result;
#else
    return nsk_add16(lanes, nsk_odd(bytes));
#endif
}

/* The larger one of each signed byte. */
static inline uint32_t nsk_max8(uint32_t a, uint32_t b)
{
    uint32_t result;
#ifdef NSK_DSP
    __asm__("ssub8 %0, %1, %2\n"
            "sel %0, %1, %2"
            : "=&r"(result)
            : "r"(a), "r"(b)
            : "cc");
#else
    result = 0;
    for (int32_t shift = 0; shift < 32; shift += 8) {
        const int8_t x = (int8_t)(uint8_t)(a >> shift), y = (int8_t)(uint8_t)(b >> shift);
        result |= (uint32_t)(uint8_t)(x > y ? x : y) << shift;
    }
#endif
    return result;
}

/* Four bytes, the low bits first; any alignment. */
static inline void nsk_store4(int8_t *bytes, uint32_t word)
{
#ifdef NSK_DSP
    __builtin_memcpy(bytes, &word, 4);
#else
    for (int32_t i = 0; i < 4; i++) {
        bytes[i] = (int8_t)(uint8_t)(word >> (8 * i));
    }
#endif
}

/* sum + low * low + high * high, exact while the sum fits. */
static inline int32_t nsk_dual(uint32_t a, uint32_t b, int32_t sum)
{
#ifdef NSK_DSP
    int32_t result;
    __asm__("smlad %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
#else
    return sum + nsk_low(a) * nsk_low(b) + nsk_top(a) * nsk_top(b);
#endif
}

/* round + high(x / 2, multiplier) of nsk_fixed.h, for even x. */
static inline int32_t nsk_high_plus(int32_t x, int32_t multiplier, int32_t round)
{
#ifdef NSK_DSP
    int32_t result;
    __asm__("smmlar %0, %1, %2, %3" : "=r"(result) : "r"(x), "r"(multiplier), "r"(round));
    return result;
#else
    return round + (int32_t)(((int64_t)x * multiplier + (INT64_C(1) << 31)) >> 32);
#endif
}

static inline int8_t nsk_saturate8(int32_t x)
{
#ifdef NSK_DSP
    int32_t result;
    __asm__("ssat %0, #8, %1" : "=r"(result) : "r"(x));
    return (int8_t)result;
#else
    return (int8_t)(x < -128 ? -128 : x > 127 ? 127 : x);
#endif
}

/* Copy bytes word by word, at any alignment. */
static inline void nsk_copy(int8_t *to, const int8_t *from, int32_t bytes)
{
#ifdef NSK_DSP
    const int8_t *end = from + (bytes & ~7);
    __asm__ volatile(".syntax unified\n"
                     "cmp %1, %2\n beq 2f\n"
                     "1:\n"
                     "ldr r12, [%1], #4\n ldr lr, [%1], #4\n str r12, [%0], #4\n str lr, [%0], #4\n"
                     "cmp %1, %2\n bne 1b\n"
                     "2:\n"
                     : "+&r"(to), "+&r"(from)
                     : "r"(end)
                     : "r12", "lr", "cc", "memory");
    for (int32_t k = 0; k < (bytes & 7); k++) {
        to[k] = from[k];
    }
#else
    memcpy(to, from, (size_t)bytes);
#endif
}

/* Both rounding terms and the zero point of a channel with this right shift, ready for
 * nsk_high_plus: 2^(right-1) + zero * 2^right, or zero where right is 0. */
static inline int32_t nsk_round_term(int32_t zero, int32_t right)
{
    return (2 * zero + 1) * (INT32_C(1) << right) >> 1;
}

#endif
