/* The steps of Fastfood that all feature types share; see fastfood.h. */
#ifndef NSK_FASTFOOD_BLOCK_H
#define NSK_FASTFOOD_BLOCK_H

#include "fastfood.h"
#include "nsk_flash.h"

/* The first two stages: four neighbours at a time, each loaded and stored once. */
static inline void nsk_hadamard_fours(uint16_t *v, uint16_t length)
{
    for (; length; length = (uint16_t)(length - 4), v += 4) {
        const uint16_t even = (uint16_t)(v[0] + v[1]), odd = (uint16_t)(v[0] - v[1]);
        const uint16_t even_after = (uint16_t)(v[2] + v[3]), odd_after = (uint16_t)(v[2] - v[3]);
        v[0] = (uint16_t)(even + even_after);
        v[1] = (uint16_t)(odd + odd_after);
        v[2] = (uint16_t)(even - even_after);
        v[3] = (uint16_t)(odd - odd_after);
    }
}

/* The Hadamard transform in place, modulo 2^16. */
static inline void nsk_hadamard(uint16_t *v, uint16_t length)
{
    uint16_t step = 1;
    if (length >= 4) {
        nsk_hadamard_fours(v, length);
        step = 4;
    }
    for (; step < length; step = (uint16_t)(2 * step)) {
        for (uint16_t start = 0; start < length; start = (uint16_t)(start + 2 * step)) {
            uint16_t *a = v + start;
            uint16_t *b = a + step;
            for (uint16_t i = step; i; i--) {
                const uint16_t left = *a, right = *b;
                *a++ = (uint16_t)(left + right);
                *b++ = (uint16_t)(left - right);
            }
        }
    }
}

/* u from w, before the second transform. */
static inline void nsk_fastfood_mix(const nsk_fastfood *p, uint16_t first, const uint16_t *w,
                                    uint16_t *u)
{
    const int32_t half = (int32_t)1 << (nsk_param(p->shift) - 1);
    for (uint16_t j = 0; j < nsk_param(p->block); j++) {
        const uint16_t from = nsk_param(p->wide)
                                  ? nsk_flash_u16((const uint16_t *)nsk_param(p->order) + first + j)
                                  : nsk_flash_u8((const uint8_t *)nsk_param(p->order) + first + j);
        const int32_t product =
            (int32_t)nsk_flash_i8(nsk_param(p->gauss) + first + j) * (int16_t)w[from] + half;
        /* Bits shift .. shift + 15 of 24. Around a whole byte small cores shift fewest places. */
        if (nsk_param(p->shift) < 8) {
            u[j] = (uint16_t)((uint32_t)product << (8 - nsk_param(p->shift)) >> 8);
        } else {
            u[j] = (uint16_t)((int16_t)(product >> 8) >> (nsk_param(p->shift) - 8));
        }
    }
}

/* Outputs of the block whose first row is `first`. */
static inline void nsk_fastfood_wave(const nsk_fastfood *p, uint16_t first, const uint16_t *u,
                                     int8_t *y)
{
    const uint16_t left = (uint16_t)(nsk_param(p->outputs) - first);
    const uint16_t count = left < nsk_param(p->block) ? left : nsk_param(p->block);
    for (uint16_t i = 0; i < count; i++) {
        const uint16_t row = (uint16_t)(first + i);
        const uint16_t length = nsk_flash_u8(nsk_param(p->lengths) + row);
        const uint16_t phase = (uint16_t)(nsk_flash_u16(nsk_param(p->phases) + row) +
                                          (uint16_t)((unsigned)length * u[i]) + 128);
        y[row] = nsk_flash_i8(nsk_param(p->cosines) + (phase >> 8));
    }
}

#endif
