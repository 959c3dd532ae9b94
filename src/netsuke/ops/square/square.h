/* The square.
 *
 *   y = x * x
 *
 * y may be x. The int8 form is a table, see table.h.
 */
#ifndef NSK_SQUARE_H
#define NSK_SQUARE_H

#include <stdint.h>

typedef struct {
    int32_t count;
} nsk_square_real;

void nsk_square_f32(const nsk_square_real *p, const float *x, float *y);

#endif
