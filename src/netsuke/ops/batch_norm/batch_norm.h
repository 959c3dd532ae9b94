/* Batch normalization with fixed statistics, over the last axis.
 *
 *   y[r,c] = clamp(factor[c] * x[r,c] + addend[c])
 *
 * x, y: (rows, channels); y may be x. int8:
 *   y = clamp(floor(((x - zero_x) * factor + addend + 2^(places-1)) / 2^places) + zero_y)
 * with |factor| < 2^15 + 1 and |addend| <= 2^29, so that nothing overflows.
 */
#ifndef NSK_BATCH_NORM_H
#define NSK_BATCH_NORM_H

#include <stdint.h>

typedef struct {
    int32_t rows, channels;
    int32_t zero_x, zero_y;
    const int32_t *factor, *addend;
    const int8_t *places;
    int32_t low, high; /* stored bounds of the fused clamp */
} nsk_batch_norm;

typedef struct {
    int32_t rows, channels;
    const float *factor, *addend;
    float low, high;
} nsk_batch_norm_real;

void nsk_batch_norm_s8(const nsk_batch_norm *p, const int8_t *x, int8_t *y);
void nsk_batch_norm_f32(const nsk_batch_norm_real *p, const float *x, float *y);

#endif
