/* The exponential function.
 *
 *   y = e^x
 *
 * y may be x. The int8 form is a table, see table.h.
 */
#ifndef NSK_EXP_H
#define NSK_EXP_H

#include <stdint.h>

typedef struct {
    int32_t count;
} nsk_exp_real;

void nsk_exp_f32(const nsk_exp_real *p, const float *x, float *y);

#endif
