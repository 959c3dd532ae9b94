/* From stored integers to real numbers.
 *
 *   y = scale * (x - zero)
 */
#ifndef NSK_DEQUANTIZE_H
#define NSK_DEQUANTIZE_H

#include <stdint.h>

typedef struct {
    int32_t count;
    float scale;
    int32_t zero;
} nsk_dequantize;

void nsk_dequantize_s8(const nsk_dequantize *p, const int8_t *x, float *y);

#endif
