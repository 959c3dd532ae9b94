/* Gated recurrent unit, int8, portable C99. See gru.h. */
#include "gru.h"
#include "nsk_gates.h"

typedef struct {
    const int8_t *x, *w, *r;
    const int8_t *before; /* the last h, as stored in y */
    int8_t *kept;         /* reset gate times h, stored alike; unless reset_after */
    int16_t *state;       /* h with 14 fraction bits */
} step_data;

static int32_t from_x(const nsk_gru *p, const step_data *s, int32_t row)
{
    return nsk_gate(s->w + row * p->inputs, s->x, p->inputs, p->bias_x[row], p->multiplier_x[row],
                    p->shift_x[row]);
}

static int32_t from_h(const nsk_gru *p, const step_data *s, const int8_t *h, int32_t row)
{
    return nsk_gate(s->r + row * p->hidden, h, p->hidden, p->bias_h[row], p->multiplier_h[row],
                    p->shift_h[row]);
}

/* Gate z (row < hidden) or r, with 15 fraction bits. */
static int32_t gate(const nsk_gru *p, const step_data *s, int32_t row)
{
    const int32_t sum = from_x(p, s, row) + from_h(p, s, s->before, row);
    return nsk_sigmoid_16(p->sigmoid, nsk_saturate_16(sum));
}

static int8_t stored(const nsk_gru *p, int32_t state)
{
    return nsk_store_s8(state, p->to_y_multiplier, p->to_y_shift, p->zero_y, -128, 127);
}

static void step_s8(const nsk_gru *p, const step_data *s, int8_t *y)
{
    const int32_t units = p->hidden;
    for (int32_t j = 0; j < units && !p->reset_after; j++) {
        s->kept[j] = stored(p, (gate(p, s, units + j) * s->state[j] + (INT32_C(1) << 14)) >> 15);
    }
    for (int32_t j = 0; j < units; j++) {
        const int32_t row = 2 * units + j;
        int32_t sum = from_x(p, s, row);
        if (p->reset_after) {
            const int32_t product = nsk_saturate_16(from_h(p, s, s->before, row));
            sum += (gate(p, s, units + j) * product + (INT32_C(1) << 14)) >> 15;
        } else {
            sum += from_h(p, s, s->kept, row);
        }
        const int32_t n = nsk_tanh_16(p->sigmoid, nsk_saturate_16(sum));
        const int32_t z = gate(p, s, j);
        const int32_t mixed = (((INT32_C(1) << 15) - z) * n >> 1) + z * s->state[j];
        s->state[j] = (int16_t)nsk_saturate_16((mixed + (INT32_C(1) << 14)) >> 15);
        y[j] = stored(p, s->state[j]);
    }
}

void nsk_gru_s8(const nsk_gru *p, const int8_t *x, const int8_t *w, const int8_t *r,
                const int8_t *h0, int8_t *y, int8_t *h, void *scratch)
{
    int16_t *state = scratch;
    int8_t *first = (int8_t *)(state + p->hidden);
    step_data s = {.w = w, .r = r, .before = first, .kept = first + p->hidden, .state = state};
    for (int32_t j = 0; j < p->hidden; j++) {
        state[j] = (int16_t)nsk_saturate_16(
            nsk_requantize(h0[j] - p->zero_h0, p->start_multiplier, p->start_shift));
        first[j] = stored(p, state[j]);
    }
    for (int32_t t = 0; t < p->steps; t++) {
        const int32_t step = p->reverse ? p->steps - 1 - t : t;
        int8_t *now = y + step * p->hidden;
        s.x = x + step * p->inputs;
        step_s8(p, &s, now);
        s.before = now;
    }
    for (int32_t j = 0; j < p->hidden; j++) {
        h[j] = nsk_store_s8(state[j], p->end_multiplier, p->end_shift, p->zero_h, -128, 127);
    }
}
