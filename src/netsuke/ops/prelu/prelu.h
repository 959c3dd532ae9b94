/* The rectifier with a learned slope, broadcasting.
 *
 *   y = a for a >= 0, b * a below
 *
 * The axes of y that the operands step through together are merged: extents and the steps of
 * a and b in elements, the last axis last (0 where an operand stays), see nsk_broadcast.h.
 * y may be a or b, where that one has y's shape.
 */
#ifndef NSK_PRELU_H
#define NSK_PRELU_H

#include <stdint.h>

typedef struct {
    int32_t rank;
    const int32_t *extent, *step_a, *step_b;
    int32_t zero_x, zero_slope, zero_y;
    int32_t multiplier_above, shift_above; /* scale of a / scale of y */
    int32_t multiplier_below, shift_below; /* that times the scale of b */
} nsk_prelu;

typedef struct {
    int32_t rank;
    const int32_t *extent, *step_a, *step_b;
} nsk_prelu_real;

void nsk_prelu_s8(const nsk_prelu *p, const int8_t *a, const int8_t *b, int8_t *y);
void nsk_prelu_f32(const nsk_prelu_real *p, const float *a, const float *b, float *y);

#endif
