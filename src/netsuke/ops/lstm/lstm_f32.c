/* Long short-term memory, float32, portable C99. See lstm.h. */
#include "lstm.h"
#include "nsk_math.h"

static float dot(const float *a, const float *b, int32_t count)
{
    float sum = 0.0f;
    for (int32_t i = 0; i < count; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

void nsk_lstm_f32(const nsk_lstm_real *p, const float *x, const float *w, const float *r,
                  const float *b, const float *h0, const float *c0, float *y, float *h, float *c)
{
    const int32_t units = p->hidden;
    const float *before = h0;
    for (int32_t j = 0; j < units; j++) {
        c[j] = c0[j];
    }
    for (int32_t t = 0; t < p->steps; t++) {
        const int32_t step = p->reverse ? p->steps - 1 - t : t;
        const float *now = x + step * p->inputs;
        for (int32_t j = 0; j < units; j++) {
            float sums[4];
            for (int32_t gate = 0; gate < 4; gate++) {
                const int32_t row = gate * units + j;
                sums[gate] = b[row] + dot(w + row * p->inputs, now, p->inputs) +
                             dot(r + row * units, before, units);
            }
            c[j] = nsk_sigmoid(sums[1]) * c[j] + nsk_sigmoid(sums[0]) * nsk_tanh(sums[2]);
            y[step * units + j] = nsk_sigmoid(sums[3]) * nsk_tanh(c[j]);
        }
        before = y + step * units;
    }
    for (int32_t j = 0; j < units; j++) {
        h[j] = before[j];
    }
}
