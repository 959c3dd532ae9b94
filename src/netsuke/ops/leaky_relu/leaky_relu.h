/* The rectifier with a slope below zero.
 *
 *   y = x for x >= 0, alpha * x below
 *
 * y may be x. The int8 form is a table, see table.h.
 */
#ifndef NSK_LEAKY_RELU_H
#define NSK_LEAKY_RELU_H

#include <stdint.h>

typedef struct {
    int32_t count;
    float alpha;
} nsk_leaky_relu_real;

void nsk_leaky_relu_f32(const nsk_leaky_relu_real *p, const float *x, float *y);

#endif
