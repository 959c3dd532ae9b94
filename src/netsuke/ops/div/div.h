/* Division, broadcasting.
 *
 *   y = clamp(a / b)
 *
 * The axes of y that the operands step through together are merged: extents and the steps of
 * a and b in elements, the last axis last (0 where an operand stays), see nsk_broadcast.h.
 * y may be a or b, where that one has y's shape.
 */
#ifndef NSK_DIV_H
#define NSK_DIV_H

#include <stdint.h>

typedef struct {
    int32_t rank;
    const int32_t *extent, *step_a, *step_b;
    int32_t zero_a, zero_b, zero_y;
    int32_t multiplier, shift;
    int32_t low, high;          /* stored bounds of the fused clamp */
    const int32_t *reciprocals; /* 256: 2^31 * 2^(bits of d - 1) / d */
} nsk_div;

typedef struct {
    int32_t rank;
    const int32_t *extent, *step_a, *step_b;
    float low, high;
} nsk_div_real;

void nsk_div_s8(const nsk_div *p, const int8_t *a, const int8_t *b, int8_t *y);
void nsk_div_f32(const nsk_div_real *p, const float *a, const float *b, float *y);

#endif
