/* The integer arithmetic of recurrent gates; netsuke/ops/gates.py is the same in Python.
 *
 * Sums of gates have 12 fraction bits in int16 (reals from -8 to 8). The logistic function is a
 * table of 257 entries with 15 fraction bits, interpolated; tanh(x) = 2 * sigmoid(2x) - 1.
 */
#ifndef NSK_GATES_H
#define NSK_GATES_H

#include "nsk_fixed.h"

static inline int32_t nsk_saturate_16(int32_t x)
{
    return nsk_clamp(x, -32768, 32767);
}

/* 15 fraction bits, of x in int16 with 12. */
static inline int32_t nsk_sigmoid_16(const int16_t *table, int32_t x)
{
    const int16_t *entry = table + ((x + 32768) >> 8);
    return entry[0] + (((entry[1] - entry[0]) * (x & 255) + 128) >> 8);
}

/* 15 fraction bits, of x within +-2^30 with 12. */
static inline int32_t nsk_tanh_16(const int16_t *table, int32_t x)
{
    return 2 * nsk_sigmoid_16(table, nsk_saturate_16(2 * x)) - 32768;
}

/* One part of a gate's sum, with 12 fraction bits, within +-2^24. */
static inline int32_t nsk_gate(const int8_t *weights, const int8_t *vector, int32_t depth,
                               int32_t bias, int32_t multiplier, int32_t shift)
{
    int32_t sum = bias;
    for (int32_t i = 0; i < depth; i++) {
        sum += weights[i] * vector[i];
    }
    return nsk_clamp(nsk_requantize(sum, multiplier, shift), -(INT32_C(1) << 24), INT32_C(1) << 24);
}

#endif
