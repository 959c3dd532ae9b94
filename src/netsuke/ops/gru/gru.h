/* Gated recurrent unit.
 *
 *   z, r = sigmoid(W x + b + R h + q); h' = (1 - z) * n + z * h with
 *   n = tanh(W x + b + r * (R h + q)) if reset_after, else tanh(W x + b + R (r * h) + q)
 *
 * x: (steps, inputs); w: (3 * hidden, inputs), r: (3 * hidden, hidden), b, q: (3 * hidden), gates
 * in the order z r n; y: (steps, hidden), every h; h: (hidden), the last. `reverse` reads the steps
 * from the last to the first. scratch: see the functions.
 *
 * int8: sums of gates have 12 fraction bits, gates 15, h has 14 in int16 and is stored in y for the
 * products with R. Sums never overflow: the compiler of the model has proved
 * |bias| + 128 * sum|w| < 2^31 for every row.
 */
#ifndef NSK_GRU_H
#define NSK_GRU_H

#include <stdint.h>

typedef struct {
    int32_t steps, inputs, hidden, reverse, reset_after;
    const int32_t *bias_x, *multiplier_x; /* 3 * hidden each, zero points folded in */
    const int32_t *bias_h, *multiplier_h;
    const int8_t *shift_x, *shift_h;
    const int16_t *sigmoid; /* 257, see nsk_gates.h */
    int32_t zero_h0, zero_y, zero_h;
    int32_t start_multiplier, start_shift; /* scale of h0 / 2^-14 */
    int32_t to_y_multiplier, to_y_shift;   /* 2^-14 / scale of y */
    int32_t end_multiplier, end_shift;     /* 2^-14 / scale of h */
} nsk_gru;

typedef struct {
    int32_t steps, inputs, hidden, reverse, reset_after;
} nsk_gru_real;

/* scratch: 3 * hidden bytes if reset_after, else 4 * hidden. */
void nsk_gru_s8(const nsk_gru *p, const int8_t *x, const int8_t *w, const int8_t *r,
                const int8_t *h0, int8_t *y, int8_t *h, void *scratch);

/* scratch: none if reset_after, else 4 * hidden bytes. */
void nsk_gru_f32(const nsk_gru_real *p, const float *x, const float *w, const float *r,
                 const float *b, const float *q, const float *h0, float *y, float *h,
                 void *scratch);

#endif
