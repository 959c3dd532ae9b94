/* Weights of which most are 0: a list of the others for every unit.
 *
 * The list of a unit is words:
 *
 *   bias (with the input zero point's share), multiplier, shift | groups << 8, then the groups
 *
 * with the shift in the lowest byte. An entry is a gap and a weight: x goes on by the gap and is
 * multiplied there. A gap that is too long is several entries, all but the last of weight 0; a last
 * group is filled up with entries of gap 0 and weight 0. So every byte that is read lies between
 * the unit's first input and its last one.
 *
 *   gaps of 8 bits: a group is a word of four gaps and a word of their weights
 *   gaps of 4 bits: a group is a word of eight gaps and two words of their weights; the low nibbles
 *                   of the first word's bytes are the gaps of the first four
 */
#ifndef NSK_SPARSE_H
#define NSK_SPARSE_H

#include <stdint.h>

/* A unit's groups. */
static inline int32_t nsk_sparse_groups(const int32_t *unit)
{
    return (int32_t)((uint32_t)unit[2] >> 8);
}

static inline int32_t nsk_sparse_shift(const int32_t *unit)
{
    return (int8_t)(uint8_t)((uint32_t)unit[2] & 255);
}

/* Four entries with gaps of 8 bits; returns where x is then. */
static inline const int8_t *nsk_sparse_four(uint32_t gaps, uint32_t weights, const int8_t *x,
                                            int32_t *sum)
{
    int32_t total = *sum;
    for (int32_t i = 0; i < 4; i++) {
        x += gaps & 255;
        total += *x * (int8_t)(uint8_t)(weights & 255);
        gaps >>= 8;
        weights >>= 8;
    }
    *sum = total;
    return x;
}

/* The bias plus the products of one unit with gaps of 8 bits. */
static inline int32_t nsk_sparse_sum8(const int32_t *unit, const int8_t *x)
{
    const int32_t *w = unit + 3, *const end = w + 2 * nsk_sparse_groups(unit);
    int32_t sum = unit[0];
    for (; w != end; w += 2) {
        x = nsk_sparse_four((uint32_t)w[0], (uint32_t)w[1], x, &sum);
    }
    return sum;
}

/* The same with gaps of 4 bits. */
static inline int32_t nsk_sparse_sum4(const int32_t *unit, const int8_t *x)
{
    const int32_t *w = unit + 3, *const end = w + 3 * nsk_sparse_groups(unit);
    int32_t sum = unit[0];
    for (; w != end; w += 3) {
        const uint32_t gaps = (uint32_t)w[0];
        x = nsk_sparse_four(gaps & 0x0f0f0f0fu, (uint32_t)w[1], x, &sum);
        x = nsk_sparse_four(gaps >> 4 & 0x0f0f0f0fu, (uint32_t)w[2], x, &sum);
    }
    return sum;
}

#endif
