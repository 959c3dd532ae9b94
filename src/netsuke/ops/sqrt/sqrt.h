/* The square root.
 *
 *   y = sqrt(x)
 *
 * y may be x. The int8 form is a table, see table.h.
 */
#ifndef NSK_SQRT_H
#define NSK_SQRT_H

#include <stdint.h>

typedef struct {
    int32_t count;
} nsk_sqrt_real;

void nsk_sqrt_f32(const nsk_sqrt_real *p, const float *x, float *y);

#endif
