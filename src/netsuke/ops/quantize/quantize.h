/* From real numbers to stored integers.
 *
 *   y = clamp(round(x / scale) + zero, -128, 127)
 *
 * Halves are rounded away from zero; NaN becomes zero. y may be x.
 */
#ifndef NSK_QUANTIZE_H
#define NSK_QUANTIZE_H

#include <stdint.h>

typedef struct {
    int32_t count;
    float scale;
    int32_t zero;
} nsk_quantize;

void nsk_quantize_s8(const nsk_quantize *p, const float *x, int8_t *y);

#endif
