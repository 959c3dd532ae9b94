/* The mean of each window.
 *
 *   y[i,j,c] = clamp(mean over u,v of x[i*stride+u-pad, ..., c])
 *
 * x: (in_h, in_w, channels); y: (out_h, out_w, channels); channels last. Padding is left out of
 * the mean, or counts as real zero. Integers are averaged as they are stored and rounded to
 * nearest, ties away from zero; kernel_h * kernel_w <= 2^23. y may start at x when the first pixel
 * that window n sees is no earlier than pixel n (counted row by row), for every n.
 */
#ifndef NSK_AVERAGE_POOL2D_H
#define NSK_AVERAGE_POOL2D_H

#include <stdint.h>

typedef struct {
    int32_t in_h, in_w;
    int32_t out_h, out_w;
    int32_t channels;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t pad_top, pad_left;
    int32_t include_padding; /* 0 or 1 */
    int32_t zero;            /* stored form of real zero */
    int32_t low, high;       /* stored bounds of the fused clamp */
} nsk_average_pool2d;

typedef struct {
    int32_t in_h, in_w;
    int32_t out_h, out_w;
    int32_t channels;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t pad_top, pad_left;
    int32_t include_padding; /* 0 or 1 */
    float low, high;
} nsk_average_pool2d_real;

void nsk_average_pool2d_s8(const nsk_average_pool2d *p, const int8_t *x, int8_t *y);
void nsk_average_pool2d_s8_mve(const nsk_average_pool2d *p, const int8_t *x, int8_t *y);
void nsk_average_pool2d_s8_dsp(const nsk_average_pool2d *p, const int8_t *x, int8_t *y);
void nsk_average_pool2d_s8_avx2(const nsk_average_pool2d *p, const int8_t *x, int8_t *y);
void nsk_average_pool2d_s8_avx512vnni(const nsk_average_pool2d *p, const int8_t *x, int8_t *y);
void nsk_average_pool2d_s8_neon(const nsk_average_pool2d *p, const int8_t *x, int8_t *y);
void nsk_average_pool2d_f32(const nsk_average_pool2d_real *p, const float *x, float *y);

#endif
