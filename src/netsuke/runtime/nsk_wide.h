/* Kernels for cores with wide vectors: what they share. Include it first, then one of nsk_avx512.h,
 * nsk_avx2.h, nsk_neon.h, which give
 *
 *   NSK_LANES   int32 sums of a vector; NSK_PARTS of them lie in 16 bytes each
 *   NSK_GROUP   weights of a sum that one nsk_dot adds up, and cells of one nsk_load_spread
 *   nsk_cell    how an activation is stored in scratch memory, by nsk_copy_cells
 *   nsk_dot     sums += weights * cells, the same cells for every lane
 *   nsk_store1/2/4   scale 1, 2, 4 vectors of sums, clamp, narrow, store up to `count` bytes
 *   nsk_channels     a depthwise window of NSK_CHANNELS channels
 *
 * A block of A vectors holds A * NSK_LANES channels in the order in which narrowing instructions
 * leave them: lane i of part l of vector q is channel (l * A + q) * 4 + i.
 *
 * Sums start at 0; `scales` holds what turns them into bytes, bias, zero points and both roundings
 * of nsk_fixed.h folded: y = (sum * multiplier + add) >> right in 64 bits, which is exact because
 * floor((floor(a / 2^31) + b) / 2^r) = floor((a + b * 2^31) / 2^(31 + r)).
 */
#ifndef NSK_WIDE_H
#define NSK_WIDE_H

#include <stdint.h>
#include <string.h>

typedef struct {
    int32_t low, high, zero; /* stored bounds of the fused clamp, zero point of the output */
} nsk_limits;

/* Rows of an image that scratch memory holds, padded with the zero point. */
typedef struct {
    int32_t rows;   /* of the image */
    int32_t bytes;  /* of one of them */
    int32_t before; /* padding at its left, in cells */
    int32_t line;   /* of a padded row, in cells */
    int32_t zero;   /* stored padding */
} nsk_band;

#endif
