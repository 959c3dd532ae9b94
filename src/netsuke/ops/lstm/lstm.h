/* Long short-term memory.
 *
 *   i, f, o = sigmoid(W x + R h + b), g = tanh(W x + R h + b); c' = f * c + i * g;
 *   h' = o * tanh(c')
 *
 * x: (steps, inputs); w: (4 * hidden, inputs), r: (4 * hidden, hidden), b: (4 * hidden), gates in
 * the order i f g o; y: (steps, hidden), every h; h, c: (hidden), the last ones. `reverse` reads
 * the steps from the last to the first.
 *
 * int8: sums of gates have 12 fraction bits, gates 15, c has 11 in int16; h is the stored y. The
 * factors start_h, start_c, end_h, end_c lead between the states' own quantizations and these.
 * scratch: 3 * hidden bytes. Sums never overflow: the compiler of the model has proved
 * |bias| + 128 * sum|w| < 2^31 for every row.
 */
#ifndef NSK_LSTM_H
#define NSK_LSTM_H

#include <stdint.h>

typedef struct {
    int32_t steps, inputs, hidden, reverse;
    const int32_t *bias_x, *multiplier_x; /* 4 * hidden each, zero points folded in */
    const int32_t *bias_h, *multiplier_h;
    const int8_t *shift_x, *shift_h;
    const int16_t *sigmoid; /* 257, see nsk_gates.h */
    int32_t zero_h0, zero_c0, zero_y, zero_h, zero_c;
    int32_t to_y_multiplier, to_y_shift; /* 2^-30 / scale of y */
    int32_t start_h_multiplier, start_h_shift;
    int32_t start_c_multiplier, start_c_shift;
    int32_t end_h_multiplier, end_h_shift;
    int32_t end_c_multiplier, end_c_shift;
} nsk_lstm;

typedef struct {
    int32_t steps, inputs, hidden, reverse;
} nsk_lstm_real;

void nsk_lstm_s8(const nsk_lstm *p, const int8_t *x, const int8_t *w, const int8_t *r,
                 const int8_t *h0, const int8_t *c0, int8_t *y, int8_t *h, int8_t *c,
                 void *scratch);
void nsk_lstm_f32(const nsk_lstm_real *p, const float *x, const float *w, const float *r,
                  const float *b, const float *h0, const float *c0, float *y, float *h, float *c);

#endif
