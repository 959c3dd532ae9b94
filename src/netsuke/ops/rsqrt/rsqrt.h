/* The reciprocal square root.
 *
 *   y = 1 / sqrt(x)
 *
 * y may be x. The int8 form is a table, see table.h.
 */
#ifndef NSK_RSQRT_H
#define NSK_RSQRT_H

#include <stdint.h>

typedef struct {
    int32_t count;
} nsk_rsqrt_real;

void nsk_rsqrt_f32(const nsk_rsqrt_real *p, const float *x, float *y);

#endif
