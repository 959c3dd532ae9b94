/* The larger of two, broadcasting.
 *
 *   y = max(a, b)
 *
 * The axes of y that the operands step through together are merged: extents and the steps of
 * a and b in elements, the last axis last (0 where an operand stays), see nsk_broadcast.h.
 * y may be a or b, where that one has y's shape.
 */
#ifndef NSK_MAXIMUM_H
#define NSK_MAXIMUM_H

#include <stdint.h>

typedef struct {
    int32_t rank;
    const int32_t *extent, *step_a, *step_b;
    const int8_t *table_a, *table_b; /* to the quantization of y, or 0 where it is the same */
} nsk_maximum;

typedef struct {
    int32_t rank;
    const int32_t *extent, *step_a, *step_b;
} nsk_maximum_real;

void nsk_maximum_s8(const nsk_maximum *p, const int8_t *a, const int8_t *b, int8_t *y);
void nsk_maximum_f32(const nsk_maximum_real *p, const float *a, const float *b, float *y);

#endif
