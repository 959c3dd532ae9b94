/* The absolute value.
 *
 *   y = |x|
 *
 * y may be x. The int8 form is a table, see table.h.
 */
#ifndef NSK_ABS_H
#define NSK_ABS_H

#include <stdint.h>

typedef struct {
    int32_t count;
} nsk_abs_real;

void nsk_abs_f32(const nsk_abs_real *p, const float *x, float *y);

#endif
