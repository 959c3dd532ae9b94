/* The largest pixel of each window.
 *
 *   y[i,j,c] = max over u,v of x[i*stride+u*dilation-pad, ..., c]
 *
 * x: (in_h, in_w, channels); y: (out_h, out_w, channels); channels last; padding never wins, and
 * every window sees a pixel. y may start at x when the first pixel that window n sees is no
 * earlier than pixel n (counted row by row), for every n.
 */
#ifndef NSK_MAX_POOL2D_H
#define NSK_MAX_POOL2D_H

#include <stdint.h>

typedef struct {
    int32_t in_h, in_w;
    int32_t out_h, out_w;
    int32_t channels;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t dilation_h, dilation_w;
    int32_t pad_top, pad_left;
} nsk_max_pool2d;

void nsk_max_pool2d_s8(const nsk_max_pool2d *p, const int8_t *x, int8_t *y);
void nsk_max_pool2d_s8_mve(const nsk_max_pool2d *p, const int8_t *x, int8_t *y);
void nsk_max_pool2d_s8_dsp(const nsk_max_pool2d *p, const int8_t *x, int8_t *y);
void nsk_max_pool2d_s8_avx2(const nsk_max_pool2d *p, const int8_t *x, int8_t *y);
void nsk_max_pool2d_s8_avx512vnni(const nsk_max_pool2d *p, const int8_t *x, int8_t *y);
void nsk_max_pool2d_s8_neon(const nsk_max_pool2d *p, const int8_t *x, int8_t *y);
void nsk_max_pool2d_f32(const nsk_max_pool2d *p, const float *x, float *y);

#endif
