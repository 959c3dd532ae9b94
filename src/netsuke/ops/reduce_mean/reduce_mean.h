/* The mean over axes.
 *
 *   y = mean of x over the reduced axes
 *
 * Kept and reduced axes are given by extents and element steps in x, merged where neighbours
 * allow; y holds the kept axes in their order. Sums of int8 never overflow: the compiler of the
 * model has proved 256 * (number of elements in one sum) < 2^31.
 */
#ifndef NSK_REDUCE_MEAN_H
#define NSK_REDUCE_MEAN_H

#include <stdint.h>

typedef struct {
    int32_t kept_axes, reduced_axes;
    const int32_t *kept_extent, *kept_step;
    const int32_t *reduced_extent, *reduced_step;
    int32_t offset, bias;      /* y = round((sum - offset) * factor) + bias */
    int32_t multiplier, shift; /* factor = multiplier * 2^(shift - 31), see nsk_fixed.h */
    int32_t ties_up;           /* so many outputs round ties up, the others away from zero */
} nsk_reduce_mean;

typedef struct {
    int32_t kept_axes, reduced_axes;
    const int32_t *kept_extent, *kept_step;
    const int32_t *reduced_extent, *reduced_step;
    float extent; /* number of elements in one mean */
} nsk_reduce_mean_real;

void nsk_reduce_mean_s8(const nsk_reduce_mean *p, const int8_t *x, int8_t *y);
void nsk_reduce_mean_f32(const nsk_reduce_mean_real *p, const float *x, float *y);

#endif
