/* Logarithm of softmax, int8, portable C99. See log_softmax.h. */
#include "log_softmax.h"
#include "nsk_fixed.h"
#include "nsk_math.h"

static void row_s8(const nsk_log_softmax *p, const int8_t *x, int8_t *y)
{
    const int32_t end = p->depth * p->inner;
    int32_t top = -128;
    for (int32_t j = 0; j < end; j += p->inner) {
        top = x[j] > top ? x[j] : top;
    }
    float sum = 0.0f;
    for (int32_t j = 0; j < end; j += p->inner) {
        sum += p->powers[top - x[j]];
    }
    const float factor = p->scale_x / p->scale_y;
    const float offset = (p->scale_x * (float)top + nsk_log(sum)) / p->scale_y;
    for (int32_t j = 0; j < end; j += p->inner) {
        const int32_t steps = nsk_round(factor * x[j] - offset);
        y[j] = (int8_t)nsk_clamp(steps + p->zero, -128, 127);
    }
}

void nsk_log_softmax_s8(const nsk_log_softmax *p, const int8_t *x, int8_t *y)
{
    for (int32_t o = 0; o < p->outer; o++) {
        for (int32_t i = 0; i < p->inner; i++) {
            const int32_t start = o * p->depth * p->inner + i;
            row_s8(p, x + start, y + start);
        }
    }
}
