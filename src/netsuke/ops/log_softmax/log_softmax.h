/* The logarithm of softmax along one axis.
 *
 *   y[j] = x[j] - ln(sum over k of e^x[k])
 *
 * Element j of row (o, i) is at (o * depth + j) * inner + i. y may be x.
 *
 * int8: powers[d] = e^(-scale_x * d) for stored distances d from the row's maximum;
 * y = round(scale_x / scale_y * x - (scale_x * max + ln sum) / scale_y) + zero in float32.
 */
#ifndef NSK_LOG_SOFTMAX_H
#define NSK_LOG_SOFTMAX_H

#include <stdint.h>

typedef struct {
    int32_t outer, depth, inner;
    float scale_x, scale_y;
    int32_t zero;
    const float *powers; /* 256 */
} nsk_log_softmax;

typedef struct {
    int32_t outer, depth, inner;
} nsk_log_softmax_real;

void nsk_log_softmax_s8(const nsk_log_softmax *p, const int8_t *x, int8_t *y);
void nsk_log_softmax_f32(const nsk_log_softmax_real *p, const float *x, float *y);

#endif
