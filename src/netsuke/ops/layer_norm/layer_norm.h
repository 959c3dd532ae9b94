/* Layer normalization.
 *
 *   y[r,j] = (x[r,j] - mean of row r) / sqrt(variance of row r + epsilon) * scale[j] + offset[j]
 *
 * x, y: (rows, depth); y may be x. int8, for a row with sum S and sum of squares Q, exactly:
 *   D = max(depth * Q - S^2 + floor, 1);  t brings D * 4^t into [2^60, 2^62)
 *   r = 2^61 / isqrt(D * 4^t);  z = (depth * x - S) * r >> (45 - t)
 *   y = clamp((z * gain + bias * 2^(8 + places) + 2^(15 + places)) >> (16 + places)) + zero
 * depth <= 2^15, so sums fit int32 and products int64.
 */
#ifndef NSK_LAYER_NORM_H
#define NSK_LAYER_NORM_H

#include <stdint.h>

typedef struct {
    int32_t rows, depth;
    int64_t floor; /* epsilon in units of D */
    int32_t places, zero;
    const int16_t *gain;
    const int32_t *bias;
} nsk_layer_norm;

typedef struct {
    int32_t rows, depth;
    float epsilon;
} nsk_layer_norm_real;

void nsk_layer_norm_s8(const nsk_layer_norm *p, const int8_t *x, int8_t *y);
void nsk_layer_norm_f32(const nsk_layer_norm_real *p, const float *x, const float *scale,
                        const float *offset, float *y);

#endif
