/* The rectifier with a slope below zero, float32, portable C99. See leaky_relu.h. */
#include "leaky_relu.h"

void nsk_leaky_relu_f32(const nsk_leaky_relu_real *p, const float *x, float *y)
{
    for (int32_t i = 0; i < p->count; i++) {
        y[i] = x[i] >= 0.0f ? x[i] : p->alpha * x[i];
    }
}
