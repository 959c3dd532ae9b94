/* The maximum over axes.
 *
 *   y = max of x over the reduced axes
 *
 * Kept and reduced axes are given by extents and element steps in x, merged where neighbours
 * allow; y holds the kept axes in their order. Sums of int8 never overflow: the compiler of the
 * model has proved 256 * (number of elements in one sum) < 2^31.
 */
#ifndef NSK_REDUCE_MAX_H
#define NSK_REDUCE_MAX_H

#include <stdint.h>

typedef struct {
    int32_t kept_axes, reduced_axes;
    const int32_t *kept_extent, *kept_step;
    const int32_t *reduced_extent, *reduced_step;
    const int8_t *table; /* to the quantization of y, or 0 where it is the same */
} nsk_reduce_max;

typedef struct {
    int32_t kept_axes, reduced_axes;
    const int32_t *kept_extent, *kept_step;
    const int32_t *reduced_extent, *reduced_step;
} nsk_reduce_max_real;

void nsk_reduce_max_s8(const nsk_reduce_max *p, const int8_t *x, int8_t *y);
void nsk_reduce_max_f32(const nsk_reduce_max_real *p, const float *x, float *y);

#endif
