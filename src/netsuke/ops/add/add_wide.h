/* The addition of nsk_add_plain as a loop that compilers turn into wide vectors. See add.h; the
 * formula is add_s8_dsp.c's, with ties away from zero.
 */
#ifndef NSK_ADD_WIDE_H
#define NSK_ADD_WIDE_H

#include <string.h>

#include "add.h"

/* floor(x * multiplier / 2^32 + 1/2): x is doubled already. */
static inline int32_t nsk_add_high(int32_t x, int32_t multiplier)
{
    return (int32_t)(((int64_t)x * multiplier + (INT64_C(1) << 31)) >> 32);
}

static inline int32_t nsk_add_away(int32_t x, int32_t round, int32_t right)
{
    return (x + (x >> 31) + round) >> right;
}

static inline int8_t nsk_add_finish(const nsk_add_plain *p, int32_t twice)
{
    const int32_t scaled = nsk_add_high(twice, p->multiplier_y);
    const int32_t y = nsk_add_away(scaled, p->round_y, p->right_y);
    return (int8_t)(y < p->low ? p->low : y > p->high ? p->high : y);
}

static inline void nsk_add_wide(const nsk_add_plain *p, const int8_t *a, const int8_t *b, int8_t *y)
{
    const nsk_add_plain local = *p; /* so that a store to y does not make it be read again */
    const int8_t *major = p->swapped ? b : a;
    const int8_t *minor = p->swapped ? a : b;
    int8_t block[256]; /* so that y may be a or b */
    for (int32_t start = 0; start < local.count; start += 256) {
        const int32_t count = local.count - start < 256 ? local.count - start : 256;
        for (int32_t i = 0; i < count; i++) {
            int32_t twice;
            if (local.right_minor > 0) {
                const int32_t product = nsk_add_high(
                    minor[start + i] * (1 << 21) + local.offset_minor, local.multiplier_minor);
                const int32_t other = nsk_add_away(product, local.round_minor, local.right_minor);
                twice = major[start + i] * (1 << 20) + local.offset_major + 2 * other;
            } else {
                twice = (major[start + i] + minor[start + i]) * (1 << 20) + local.offset_major;
            }
            block[i] = nsk_add_finish(&local, twice);
        }
        memcpy(y + start, block, (size_t)count);
    }
}

#endif
