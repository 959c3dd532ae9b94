/* Inner products with two pixels in a word, for cores with a 32-bit multiplier and no SIMD.
 *
 * A word is x0 + 65536 * x1, so that one multiplication gives two products. A group of taps is
 * added up, with 2^15 more, and then taken apart; the model's compiler has proved that a group
 * leaves the lower half as it is: sum|w| <= 255 over two taps, or over four.
 *
 *   group  = 2^15 + sum of words * w       = low + 65536 * high with 0 <= low < 65536
 *   total += group, highs += group >> 16   so that sum of lows = total - 65536 * highs (mod 2^32)
 *
 * strip:    words [tap][2]: pixels 0 and 1, pixels 2 and 3
 * channels: the start of total, which makes up for the 2^15s; twice the start of highs, which is
 *           the bias less the centre, plus 1 where a group is four taps; a byte a tap, the weights;
 *           then low, high, a, c, and b << 8 | s of
 *
 *   y = (x * a + (x * b >> 12) + c) >> s,  x = clamp(sum, low, high)
 *
 * of which the model's compiler has proved that it is the model's requantization for every sum
 * that can occur, see netsuke/ops/step_scale.py.
 */
#ifndef NSK_PAIRS_H
#define NSK_PAIRS_H

#include "nsk_fixed.h"

#include <stdint.h>

enum { NSK_PAIRS_WORDS = 7 }; /* of a channel, besides its weights */

/* A sum's output; `scale` is what stands behind a channel's weights. */
static inline int8_t nsk_pairs_store(uint32_t sum, const int32_t *scale)
{
    const int32_t x = nsk_clamp((int32_t)sum, scale[0], scale[1]);
    const int32_t scaled = x * scale[2] + ((x * (scale[4] >> 8)) >> 12) + scale[3];
    return (int8_t)(scaled >> (scale[4] & 31));
}

#endif
