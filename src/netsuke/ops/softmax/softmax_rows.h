/* Rows of an int8 softmax, whatever gives the powers. See softmax.h. */
#ifndef NSK_SOFTMAX_ROWS_H
#define NSK_SOFTMAX_ROWS_H

#include "nsk_fixed.h"

typedef struct {
    int32_t outer, depth, inner;
    float scale;
    int32_t zero;
} nsk_softmax_shape;

/* `power(tables, d)` is e to the minus d steps; the compiler sees which function it is. */
static inline void nsk_softmax_row(const nsk_softmax_shape *p, const void *tables,
                                   float (*power)(const void *, int32_t), const int8_t *x,
                                   int8_t *y)
{
    const int32_t end = p->depth * p->inner;
    int32_t top = -128;
    for (int32_t j = 0; j < end; j += p->inner) {
        top = x[j] > top ? x[j] : top;
    }
    float sum = 0.0f;
    for (int32_t j = 0; j < end; j += p->inner) {
        sum += power(tables, top - x[j]);
    }
    const float factor = 1.0f / (sum * p->scale);
    for (int32_t j = 0; j < end; j += p->inner) {
        const int32_t steps = (int32_t)(power(tables, top - x[j]) * factor + 0.5f);
        y[j] = (int8_t)nsk_clamp(steps + p->zero, -128, 127);
    }
}

static inline void nsk_softmax_rows(const nsk_softmax_shape *p, const void *tables,
                                    float (*power)(const void *, int32_t), const int8_t *x,
                                    int8_t *y)
{
    for (int32_t o = 0; o < p->outer; o++) {
        for (int32_t i = 0; i < p->inner; i++) {
            const int32_t start = o * p->depth * p->inner + i;
            nsk_softmax_row(p, tables, power, x + start, y + start);
        }
    }
}

#endif
