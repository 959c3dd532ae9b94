/* Long short-term memory, int8, portable C99. See lstm.h. */
#include "lstm.h"
#include "nsk_gates.h"

/* The sum of one gate of one unit, in int16 with 12 fraction bits. */
static int32_t gate_sum(const nsk_lstm *p, int32_t row, const int8_t *x, const int8_t *w,
                        const int8_t *h, const int8_t *r)
{
    const int32_t from_x = nsk_gate(w + row * p->inputs, x, p->inputs, p->bias_x[row],
                                    p->multiplier_x[row], p->shift_x[row]);
    const int32_t from_h = nsk_gate(r + row * p->hidden, h, p->hidden, p->bias_h[row],
                                    p->multiplier_h[row], p->shift_h[row]);
    return nsk_saturate_16(from_x + from_h);
}

/* One step: c is updated, the new h goes to y; h may not be y. */
static void step_s8(const nsk_lstm *p, const int8_t *x, const int8_t *w, const int8_t *h,
                    const int8_t *r, int16_t *c, int8_t *y)
{
    const int32_t units = p->hidden;
    for (int32_t j = 0; j < units; j++) {
        const int32_t i = nsk_sigmoid_16(p->sigmoid, gate_sum(p, j, x, w, h, r));
        const int32_t f = nsk_sigmoid_16(p->sigmoid, gate_sum(p, units + j, x, w, h, r));
        const int32_t g = nsk_tanh_16(p->sigmoid, gate_sum(p, 2 * units + j, x, w, h, r));
        const int32_t o = nsk_sigmoid_16(p->sigmoid, gate_sum(p, 3 * units + j, x, w, h, r));
        const int32_t cell = nsk_saturate_16((f * c[j] + (i * g >> 4) + (INT32_C(1) << 14)) >> 15);
        c[j] = (int16_t)cell;
        y[j] = nsk_store_s8(o * nsk_tanh_16(p->sigmoid, 2 * cell), p->to_y_multiplier,
                            p->to_y_shift, p->zero_y, -128, 127);
    }
}

void nsk_lstm_s8(const nsk_lstm *p, const int8_t *x, const int8_t *w, const int8_t *r,
                 const int8_t *h0, const int8_t *c0, int8_t *y, int8_t *h, int8_t *c, void *scratch)
{
    int16_t *cell = scratch;
    int8_t *first = (int8_t *)(cell + p->hidden);
    for (int32_t j = 0; j < p->hidden; j++) {
        first[j] = nsk_store_s8(h0[j] - p->zero_h0, p->start_h_multiplier, p->start_h_shift,
                                p->zero_y, -128, 127);
        cell[j] = (int16_t)nsk_saturate_16(
            nsk_requantize(c0[j] - p->zero_c0, p->start_c_multiplier, p->start_c_shift));
    }
    const int8_t *before = first;
    for (int32_t t = 0; t < p->steps; t++) {
        const int32_t step = p->reverse ? p->steps - 1 - t : t;
        int8_t *now = y + step * p->hidden;
        step_s8(p, x + step * p->inputs, w, before, r, cell, now);
        before = now;
    }
    for (int32_t j = 0; j < p->hidden; j++) {
        h[j] = nsk_store_s8(before[j] - p->zero_y, p->end_h_multiplier, p->end_h_shift, p->zero_h,
                            -128, 127);
        c[j] = nsk_store_s8(cell[j], p->end_c_multiplier, p->end_c_shift, p->zero_c, -128, 127);
    }
}
