/* The list of the nearest vectors so far, for all feature types; see nearest.h. */
#ifndef NSK_NEAREST_LIST_H
#define NSK_NEAREST_LIST_H

#include "nearest.h"
#include "nsk_flash.h"

static inline void nsk_nearest_begin(const nsk_nearest *p, uint32_t *distances)
{
    for (uint8_t i = 0; i < nsk_param(p->count); i++) {
        distances[i] = UINT32_MAX;
    }
}

/* Puts a vector into its place, behind those that are as near. */
static inline void nsk_nearest_insert(const nsk_nearest *p, uint32_t *distances, uint32_t distance,
                                      const int16_t *value)
{
    int16_t *found = (int16_t *)(void *)(distances + nsk_param(p->count));
    uint8_t at = (uint8_t)(nsk_param(p->count) - 1);
    if (distance >= distances[at]) {
        return;
    }
    for (; at && distance < distances[at - 1]; at--) {
        distances[at] = distances[at - 1];
        found[at] = found[at - 1];
    }
    distances[at] = distance;
    found[at] = nsk_flash_i16(value);
}

static inline uint8_t nsk_nearest_class(const nsk_nearest *p, const uint32_t *distances)
{
    const int16_t *found = (const int16_t *)(const void *)(distances + nsk_param(p->count));
    uint8_t most = 0, best = 0;
    for (uint8_t i = 0; i < nsk_param(p->count); i++) {
        uint8_t same = 0;
        for (uint8_t j = 0; j < nsk_param(p->count); j++) {
            same = (uint8_t)(same + (found[j] == found[i]));
        }
        if (same > most || (same == most && found[i] < best)) {
            most = same;
            best = (uint8_t)found[i];
        }
    }
    return best;
}

static inline int32_t nsk_nearest_total(const nsk_nearest *p, const uint32_t *distances)
{
    const int16_t *found = (const int16_t *)(const void *)(distances + nsk_param(p->count));
    int32_t total = 0;
    for (uint8_t i = 0; i < nsk_param(p->count); i++) {
        total += found[i];
    }
    return total;
}

#endif
