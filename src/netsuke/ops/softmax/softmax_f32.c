/* Softmax, float32, portable C99. See softmax.h. */
#include "softmax.h"
#include "nsk_math.h"

static void row_f32(const nsk_softmax_real *p, const float *x, float *y)
{
    const int32_t end = p->depth * p->inner;
    float top = x[0];
    for (int32_t j = 0; j < end; j += p->inner) {
        top = x[j] > top ? x[j] : top;
    }
    float sum = 0.0f;
    for (int32_t j = 0; j < end; j += p->inner) {
        y[j] = nsk_exp(p->beta * (x[j] - top));
        sum += y[j];
    }
    for (int32_t j = 0; j < end; j += p->inner) {
        y[j] /= sum;
    }
}

void nsk_softmax_f32(const nsk_softmax_real *p, const float *x, float *y)
{
    for (int32_t o = 0; o < p->outer; o++) {
        for (int32_t i = 0; i < p->inner; i++) {
            const int32_t start = o * p->depth * p->inner + i;
            row_f32(p, x + start, y + start);
        }
    }
}
