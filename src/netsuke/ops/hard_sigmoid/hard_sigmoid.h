/* The piecewise linear sigmoid.
 *
 *   y = clamp(alpha * x + beta, 0, 1)
 *
 * y may be x. The int8 form is a table, see table.h.
 */
#ifndef NSK_HARD_SIGMOID_H
#define NSK_HARD_SIGMOID_H

#include <stdint.h>

typedef struct {
    int32_t count;
    float alpha, beta;
} nsk_hard_sigmoid_real;

void nsk_hard_sigmoid_f32(const nsk_hard_sigmoid_real *p, const float *x, float *y);

#endif
