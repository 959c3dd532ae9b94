/* The logistic function.
 *
 *   y = 1 / (1 + e^-x)
 *
 * y may be x. The int8 form is a table, see table.h.
 */
#ifndef NSK_SIGMOID_H
#define NSK_SIGMOID_H

#include <stdint.h>

typedef struct {
    int32_t count;
} nsk_sigmoid_real;

void nsk_sigmoid_f32(const nsk_sigmoid_real *p, const float *x, float *y);

#endif
