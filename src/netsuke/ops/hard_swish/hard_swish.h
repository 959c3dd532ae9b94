/* The piecewise quadratic swish.
 *
 *   y = x * clamp(x + 3, 0, 6) / 6
 *
 * y may be x. The int8 form is a table, see table.h.
 */
#ifndef NSK_HARD_SWISH_H
#define NSK_HARD_SWISH_H

#include <stdint.h>

typedef struct {
    int32_t count;
} nsk_hard_swish_real;

void nsk_hard_swish_f32(const nsk_hard_swish_real *p, const float *x, float *y);

#endif
