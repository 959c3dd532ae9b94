/* From stored integers to stored integers of another scale.
 *
 *   y = clamp(round(factor * (x - zero_x)) + zero_y, -128, 127)
 *
 * factor = multiplier * 2^(shift - 31), see nsk_fixed.h. Ties of the last rounding go up in whole
 * blocks of 16 elements and away from zero in the elements that remain. y may be x.
 */
#ifndef NSK_REQUANTIZE_H
#define NSK_REQUANTIZE_H

#include <stdint.h>

typedef struct {
    int32_t count;
    int32_t zero_x, zero_y;
    int32_t multiplier, shift;
} nsk_requantize_scale;

void nsk_requantize_s8(const nsk_requantize_scale *p, const int8_t *x, int8_t *y);

#endif
