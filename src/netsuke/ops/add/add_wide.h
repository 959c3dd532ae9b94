/* The addition of nsk_add_plain on wide vectors; the vectors' header comes before, see nsk_wide.h.
 * The formula is add_s8_mve.c's: everything is half of what the parameters say.
 */
#ifndef NSK_ADD_WIDE_H
#define NSK_ADD_WIDE_H

#include "add.h"
#include "nsk_fixed.h"
#include "nsk_wide.h"

static inline int32_t nsk_add_away(int32_t x, int32_t round, int32_t right)
{
    return (x + (x < 0 ? -1 : 0) + round) >> right;
}

static inline int8_t nsk_add_one(const nsk_add_plain *p, int32_t major, int32_t minor)
{
    int32_t sum = major * (1 << 19) + p->offset_major / 2;
    if (p->right_minor > 0) {
        const int32_t high = nsk_high(minor * (1 << 20) + p->offset_minor / 2, p->multiplier_minor);
        sum += nsk_add_away(high, p->round_minor, p->right_minor);
    } else {
        sum += minor * (1 << 19);
    }
    const int32_t y = nsk_add_away(nsk_high(sum, p->multiplier_y), p->round_y, p->right_y);
    return (int8_t)nsk_clamp(y, p->low, p->high);
}

#ifdef NSK_ELEMENTS
/* Sums of as many elements as a vector holds. */
static inline nsk_sums nsk_add_lanes(const nsk_add_plain *p, nsk_sums major, nsk_sums minor)
{
    nsk_sums other;
    if (p->right_minor > 0) {
        const nsk_sums shifted = nsk_shifted(minor, 20, p->offset_minor / 2);
        other = nsk_away_lanes(nsk_high_lanes(shifted, p->multiplier_minor), p->round_minor,
                               p->right_minor);
    } else {
        other = nsk_shifted(minor, 19, 0);
    }
    const nsk_sums sum = nsk_plus(nsk_shifted(major, 19, p->offset_major / 2), other);
    return nsk_away_lanes(nsk_high_lanes(sum, p->multiplier_y), p->round_y, p->right_y);
}
#endif

static inline void nsk_add_wide(const nsk_add_plain *p, const int8_t *a, const int8_t *b, int8_t *y)
{
    const nsk_add_plain local = *p; /* so that a store to y does not make it be read again */
    const int8_t *major = p->swapped ? b : a;
    const int8_t *minor = p->swapped ? a : b;
    int32_t i = 0;
#ifdef NSK_ELEMENTS
    const nsk_limits limits = {p->low, p->high, 0};
    for (; i + NSK_LANES <= local.count; i += NSK_LANES) {
        nsk_store_lanes(y + i, nsk_add_lanes(&local, nsk_widen(major + i), nsk_widen(minor + i)),
                        &limits);
    }
#endif
    for (; i < local.count; i++) {
        y[i] = nsk_add_one(&local, major[i], minor[i]);
    }
}

#endif
