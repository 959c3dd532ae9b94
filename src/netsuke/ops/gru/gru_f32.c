/* Gated recurrent unit, float32, portable C99. See gru.h. */
#include "gru.h"
#include "nsk_math.h"

static float dot(const float *a, const float *b, int32_t count)
{
    float sum = 0.0f;
    for (int32_t i = 0; i < count; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

typedef struct {
    const float *x, *w, *r, *b, *q;
    const float *before; /* the last h */
    float *kept;         /* reset gate times h, unless reset_after */
} step_data;

static float from_x(const nsk_gru_real *p, const step_data *s, int32_t row)
{
    return s->b[row] + dot(s->w + row * p->inputs, s->x, p->inputs);
}

static float from_h(const nsk_gru_real *p, const step_data *s, const float *h, int32_t row)
{
    return s->q[row] + dot(s->r + row * p->hidden, h, p->hidden);
}

static float gate(const nsk_gru_real *p, const step_data *s, int32_t row)
{
    return nsk_sigmoid(from_x(p, s, row) + from_h(p, s, s->before, row));
}

static void step_f32(const nsk_gru_real *p, const step_data *s, float *y)
{
    const int32_t units = p->hidden;
    for (int32_t j = 0; j < units && !p->reset_after; j++) {
        s->kept[j] = gate(p, s, units + j) * s->before[j];
    }
    for (int32_t j = 0; j < units; j++) {
        const int32_t row = 2 * units + j;
        const float product = p->reset_after ? gate(p, s, units + j) * from_h(p, s, s->before, row)
                                             : from_h(p, s, s->kept, row);
        const float n = nsk_tanh(from_x(p, s, row) + product);
        const float z = gate(p, s, j);
        y[j] = (1.0f - z) * n + z * s->before[j];
    }
}

void nsk_gru_f32(const nsk_gru_real *p, const float *x, const float *w, const float *r,
                 const float *b, const float *q, const float *h0, float *y, float *h, void *scratch)
{
    step_data s = {.w = w, .r = r, .b = b, .q = q, .before = h0, .kept = scratch};
    for (int32_t t = 0; t < p->steps; t++) {
        const int32_t step = p->reverse ? p->steps - 1 - t : t;
        s.x = x + step * p->inputs;
        step_f32(p, &s, y + step * p->hidden);
        s.before = y + step * p->hidden;
    }
    for (int32_t j = 0; j < p->hidden; j++) {
        h[j] = s.before[j];
    }
}
