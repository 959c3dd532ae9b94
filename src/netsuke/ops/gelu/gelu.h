/* The Gaussian error linear unit.
 *
 *   y = x * P(x), P the normal distribution or its approximation by tanh
 *
 * y may be x. The int8 form is a table, see table.h.
 */
#ifndef NSK_GELU_H
#define NSK_GELU_H

#include <stdint.h>

typedef struct {
    int32_t count;
    int32_t approximate;
} nsk_gelu_real;

void nsk_gelu_f32(const nsk_gelu_real *p, const float *x, float *y);

#endif
