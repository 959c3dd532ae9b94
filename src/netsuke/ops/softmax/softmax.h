/* Softmax along one axis.
 *
 *   y[j] = e^(beta * x[j]) / sum over k of e^(beta * x[k])
 *
 * Element j of row (o, i) is at (o * depth + j) * inner + i. y may be x.
 *
 * int8: powers[d] = e^(-beta * scale of x * d) for stored distances d from the row's maximum;
 * y = trunc(power * (1 / (sum * scale)) + 1/2) + zero in float32, the sum in the order of j.
 */
#ifndef NSK_SOFTMAX_H
#define NSK_SOFTMAX_H

#include <stdint.h>

typedef struct {
    int32_t outer, depth, inner;
    float scale; /* of y */
    int32_t zero;
    const float *powers; /* 256 */
} nsk_softmax;

/* See softmax_s8_product.c. */
typedef struct {
    int32_t outer, depth, inner;
    float scale; /* of y */
    int32_t zero;
    const float *coarse, *fine; /* 16 each */
    const int8_t *moves;        /* 256 */
} nsk_softmax_product;

typedef struct {
    int32_t outer, depth, inner;
    float beta;
} nsk_softmax_real;

void nsk_softmax_s8(const nsk_softmax *p, const int8_t *x, int8_t *y);
void nsk_softmax_s8_product(const nsk_softmax_product *p, const int8_t *x, int8_t *y);
void nsk_softmax_f32(const nsk_softmax_real *p, const float *x, float *y);

#endif
