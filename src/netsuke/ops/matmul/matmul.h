/* Matrix products of two tensors.
 *
 *   y[o,i,j] = sum over k of a[o,i,k] * b[o,k,j]
 *
 * a: (..., rows, depth); b: (..., depth, columns); y: (..., rows, columns). The axes before these
 * broadcast: `outer` merged extents, and the elements from one matrix to the next along each. Sums
 * of int8 never overflow: the compiler of the model has proved depth * max|a| * max|b| < 2^31.
 */
#ifndef NSK_MATMUL_H
#define NSK_MATMUL_H

#include <stdint.h>

typedef struct {
    int32_t rows, depth, columns;
    int32_t outer;
    const int32_t *extent, *step_a, *step_b;
    int32_t zero_a, zero_b, zero_y;
    int32_t multiplier, shift; /* scale_a * scale_b / scale_y, see nsk_fixed.h */
} nsk_matmul;

typedef struct {
    int32_t rows, depth, columns;
    int32_t outer;
    const int32_t *extent, *step_a, *step_b;
} nsk_matmul_real;

void nsk_matmul_s8(const nsk_matmul *p, const int8_t *a, const int8_t *b, int8_t *y);
void nsk_matmul_f32(const nsk_matmul_real *p, const float *a, const float *b, float *y);

#endif
