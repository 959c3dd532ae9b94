/* The Gaussian error linear unit, float32, portable C99. See gelu.h. */
#include "gelu.h"
#include "nsk_math.h"

/* (1 + tanh(z)) / 2 = sigmoid(2z), z = sqrt(2 / pi) * (x + 0.044715 * x^3). */
static float nsk_tanh_cdf(float x)
{
    return nsk_sigmoid(1.59576912f * (x + 0.044715f * x * x * x));
}

void nsk_gelu_f32(const nsk_gelu_real *p, const float *x, float *y)
{
    for (int32_t i = 0; i < p->count; i++) {
        y[i] = x[i] * (p->approximate ? nsk_tanh_cdf(x[i]) : nsk_normal_cdf(x[i]));
    }
}
