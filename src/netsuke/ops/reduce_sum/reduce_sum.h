/* The sum over axes.
 *
 *   y = sum of x over the reduced axes
 *
 * Kept and reduced axes are given by extents and element steps in x, merged where neighbours
 * allow; y holds the kept axes in their order. Sums of int8 never overflow: the compiler of the
 * model has proved 256 * (number of elements in one sum) < 2^31.
 */
#ifndef NSK_REDUCE_SUM_H
#define NSK_REDUCE_SUM_H

#include <stdint.h>

typedef struct {
    int32_t kept_axes, reduced_axes;
    const int32_t *kept_extent, *kept_step;
    const int32_t *reduced_extent, *reduced_step;
    float scale, bias; /* y = round(sum * scale + bias) + zero, in float32 */
    int32_t zero;
} nsk_reduce_sum;

typedef struct {
    int32_t kept_axes, reduced_axes;
    const int32_t *kept_extent, *kept_step;
    const int32_t *reduced_extent, *reduced_step;
} nsk_reduce_sum_real;

void nsk_reduce_sum_s8(const nsk_reduce_sum *p, const int8_t *x, int8_t *y);
void nsk_reduce_sum_f32(const nsk_reduce_sum_real *p, const float *x, float *y);

#endif
