/* The smaller of two, broadcasting.
 *
 *   y = min(a, b)
 *
 * The axes of y that the operands step through together are merged: extents and the steps of
 * a and b in elements, the last axis last (0 where an operand stays), see nsk_broadcast.h.
 * y may be a or b, where that one has y's shape.
 */
#ifndef NSK_MINIMUM_H
#define NSK_MINIMUM_H

#include <stdint.h>

typedef struct {
    int32_t rank;
    const int32_t *extent, *step_a, *step_b;
    const int8_t *table_a, *table_b; /* to the quantization of y, or 0 where it is the same */
} nsk_minimum;

typedef struct {
    int32_t rank;
    const int32_t *extent, *step_a, *step_b;
} nsk_minimum_real;

void nsk_minimum_s8(const nsk_minimum *p, const int8_t *a, const int8_t *b, int8_t *y);
void nsk_minimum_f32(const nsk_minimum_real *p, const float *a, const float *b, float *y);

#endif
