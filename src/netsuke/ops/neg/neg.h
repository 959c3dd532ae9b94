/* The negative.
 *
 *   y = -x
 *
 * y may be x. The int8 form is a table, see table.h.
 */
#ifndef NSK_NEG_H
#define NSK_NEG_H

#include <stdint.h>

typedef struct {
    int32_t count;
} nsk_neg_real;

void nsk_neg_f32(const nsk_neg_real *p, const float *x, float *y);

#endif
