/* Transposed two-dimensional convolution.
 *
 *   y[i,j,k] = clamp(b[k] + sum of w[k,u,v,c] * x[a,e,c]
 *                    over i = a*stride + u*dilation - crop, j = e*stride + v*dilation - crop)
 *
 * x: (in_h, in_w, in_c); w: (out_c, kernel_h, kernel_w, in_c / groups); y: (out_h, out_w, out_c);
 * channels last. Accumulators never overflow, see conv2d.h.
 */
#ifndef NSK_TRANSPOSED_CONV2D_H
#define NSK_TRANSPOSED_CONV2D_H

#include <stdint.h>

typedef struct {
    int32_t in_h, in_w, in_c;
    int32_t out_h, out_w, out_c;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t dilation_h, dilation_w;
    int32_t crop_top, crop_left;
    int32_t step_h,
        step_w; /* from one tap that paints an output pixel to the next: s / gcd(s, d) */
    int32_t groups;
    int32_t input_zero, weight_zero, output_zero;
    int32_t low, high;         /* stored bounds of the fused clamp */
    const int32_t *multiplier; /* out_c factors, see nsk_fixed.h */
    const int8_t *shift;       /* out_c exponents */
} nsk_transposed_conv2d;

/* Weights with the requantization among them: see transposed_conv2d_s8_dsp.c. */
typedef struct {
    int32_t in_h, in_w;
    int32_t out_h, out_w;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t dilation_h, dilation_w;
    int32_t crop_top, crop_left;
    int32_t step_h, step_w; /* as above */
    int32_t groups;
    int32_t depth, units; /* input and output channels of a group */
    int32_t input_zero, output_zero;
    int32_t low, high; /* stored bounds of the fused clamp */
} nsk_transposed_conv2d_packed;

typedef struct {
    int32_t in_h, in_w, in_c;
    int32_t out_h, out_w, out_c;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t dilation_h, dilation_w;
    int32_t crop_top, crop_left;
    int32_t step_h,
        step_w; /* from one tap that paints an output pixel to the next: s / gcd(s, d) */
    int32_t groups;
    float low, high;
} nsk_transposed_conv2d_real;

void nsk_transposed_conv2d_s8(const nsk_transposed_conv2d *p, const int8_t *x, const int8_t *w,
                              const int32_t *b, int8_t *y);
void nsk_transposed_conv2d_s8_dsp(const nsk_transposed_conv2d_packed *p, const int8_t *x,
                                  const int32_t *w, int8_t *y);
void nsk_transposed_conv2d_f32(const nsk_transposed_conv2d_real *p, const float *x, const float *w,
                               const float *b, float *y);

#endif
