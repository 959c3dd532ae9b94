/* Depthwise two-dimensional convolution.
 *
 *   y[i,j,k] = clamp(b[k] + sum over u,v of w[u,v,k] * x[i*stride+u*dilation-pad, ..., k / m])
 *
 * x: (in_h, in_w, in_c); w: (kernel_h, kernel_w, out_c); y: (out_h, out_w, out_c); m = out_c / in_c;
 * channels last, padding is real zero. Accumulators never overflow, see conv2d.h. y may start at x
 * when m = 1 and the first pixel that window n sees is no earlier than pixel n, for every n.
 */
#ifndef NSK_DEPTHWISE_CONV2D_H
#define NSK_DEPTHWISE_CONV2D_H

#include <stdint.h>

typedef struct {
    int32_t in_h, in_w, in_c;
    int32_t out_h, out_w, out_c;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t dilation_h, dilation_w;
    int32_t pad_top, pad_left;
    int32_t input_zero, weight_zero, output_zero;
    int32_t low, high;         /* stored bounds of the fused clamp */
    const int32_t *multiplier; /* out_c factors, see nsk_fixed.h */
    const int8_t *shift;       /* out_c exponents */
} nsk_depthwise_conv2d;

typedef struct {
    int32_t in_h, in_w, in_c;
    int32_t out_h, out_w, out_c;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t dilation_h, dilation_w;
    int32_t pad_top, pad_left;
    float low, high;
} nsk_depthwise_conv2d_real;

void nsk_depthwise_conv2d_s8(const nsk_depthwise_conv2d *p, const int8_t *x, const int8_t *w,
                             const int32_t *b, int8_t *y);
void nsk_depthwise_conv2d_f32(const nsk_depthwise_conv2d_real *p, const float *x, const float *w,
                              const float *b, float *y);

#endif
