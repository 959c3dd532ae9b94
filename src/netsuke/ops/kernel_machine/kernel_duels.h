/* What kernel machines do behind the distance, for all feature types; see kernel_machine.h. */
#ifndef NSK_KERNEL_DUELS_H
#define NSK_KERNEL_DUELS_H

#include "kernel_machine.h"
#include "nsk_flash.h"

/* The kernel of a squared distance. */
static inline int16_t nsk_kernel_of(const nsk_kernel_machine *p, const int16_t *table, uint32_t r)
{
    const uint32_t entry = r >> nsk_param(p->shift);
    if (entry >= nsk_param(p->last)) {
        return nsk_flash_i16(table + nsk_param(p->last));
    }
    const int16_t upper = nsk_flash_i16(table + entry);
    const int32_t fall = upper - nsk_flash_i16(table + entry + 1);
    const int32_t part = (int32_t)(r & (((uint32_t)1 << nsk_param(p->shift)) - 1));
    return (int16_t)(upper - (fall * part >> nsk_param(p->shift)));
}

/* Adds a vector of class `owner` to its duels. */
static inline void nsk_kernel_duel(const nsk_kernel_machine *p, uint8_t owner, int16_t kernel,
                                   const int16_t *w, int32_t *duels)
{
    const uint8_t classes = nsk_param(p->classes);
    for (uint8_t other = 0; other < classes; other++) {
        if (other != owner) {
            const uint8_t first = other < owner ? other : owner;
            const uint8_t second = other < owner ? owner : other;
            const int32_t before = (int32_t)first * (2 * classes - first - 1) / 2;
            duels[before + second - first - 1] += (int32_t)nsk_flash_i16(w++) * kernel >> 15;
        }
    }
}

static inline uint8_t nsk_kernel_winner(const nsk_kernel_machine *p, const int32_t *duels,
                                        uint8_t *wins)
{
    const uint8_t classes = nsk_param(p->classes);
    if (classes == 2) {
        return duels[0] > 0;
    }
    for (uint8_t c = 0; c < classes; c++) {
        wins[c] = 0;
    }
    for (uint8_t first = 0; first < classes; first++) {
        for (uint8_t second = (uint8_t)(first + 1); second < classes; second++) {
            wins[*duels++ > 0 ? first : second]++;
        }
    }
    uint8_t best = 0;
    for (uint8_t c = 1; c < classes; c++) {
        best = wins[c] > wins[best] ? c : best;
    }
    return best;
}

#endif
