/* The position of the maximum along one axis.
 *
 *   y = the first j (the last, where `last` is 1) with x[j] = max over k of x[k]
 *
 * Element j of row (o, i) is at (o * depth + j) * inner + i; y[o * inner + i] is its result.
 */
#ifndef NSK_ARG_MAX_H
#define NSK_ARG_MAX_H

#include <stdint.h>

typedef struct {
    int32_t outer, depth, inner, last;
} nsk_arg_max;

void nsk_arg_max_s8(const nsk_arg_max *p, const int8_t *x, int32_t *y);
void nsk_arg_max_f32(const nsk_arg_max *p, const float *x, int32_t *y);

#endif
