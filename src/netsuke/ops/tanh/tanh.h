/* The hyperbolic tangent.
 *
 *   y = tanh x
 *
 * y may be x. The int8 form is a table, see table.h.
 */
#ifndef NSK_TANH_H
#define NSK_TANH_H

#include <stdint.h>

typedef struct {
    int32_t count;
} nsk_tanh_real;

void nsk_tanh_f32(const nsk_tanh_real *p, const float *x, float *y);

#endif
