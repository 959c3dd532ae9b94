/* Depthwise convolution, float32, portable C99. See depthwise_conv2d.h. */
#include "depthwise_conv2d.h"
#include "nsk_real.h"
#include "nsk_window.h"

void nsk_depthwise_conv2d_f32(const nsk_depthwise_conv2d_real *p, const float *x, const float *w,
                              const float *b, float *y)
{
    const int32_t multiple = p->out_c / p->in_c;
    for (int32_t i = 0; i < p->out_h; i++) {
        const int32_t row = i * p->stride_h - p->pad_top;
        const int32_t u0 = nsk_first_tap(row, p->dilation_h);
        const int32_t u1 = nsk_end_tap(row, p->dilation_h, p->kernel_h, p->in_h);
        for (int32_t j = 0; j < p->out_w; j++) {
            const int32_t column = j * p->stride_w - p->pad_left;
            const int32_t v0 = nsk_first_tap(column, p->dilation_w);
            const int32_t v1 = nsk_end_tap(column, p->dilation_w, p->kernel_w, p->in_w);
            for (int32_t k = 0; k < p->out_c; k++) {
                const int32_t c = multiple == 1 ? k : k / multiple;
                float sum = b[k];
                for (int32_t u = u0; u < u1; u++) {
                    const int32_t line = (row + u * p->dilation_h) * p->in_w + column;
                    for (int32_t v = v0; v < v1; v++) {
                        sum += w[(u * p->kernel_w + v) * p->out_c + k] *
                               x[(line + v * p->dilation_w) * p->in_c + c];
                    }
                }
                *y++ = nsk_clamp_f32(sum, p->low, p->high);
            }
        }
    }
}
