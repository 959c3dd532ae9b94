/* Depthwise convolution, int8, portable C99: the plain kernel for every geometry and any zero
 * point of the weights. See depthwise_conv2d.h. */
#include "depthwise_conv2d.h"
#include "nsk_fixed.h"
#include "nsk_window.h"

void nsk_depthwise_conv2d_s8(const nsk_depthwise_conv2d *p, const int8_t *x, const int8_t *w,
                             const int32_t *b, int8_t *y)
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
                int32_t sum = b[k];
                for (int32_t u = u0; u < u1; u++) {
                    const int32_t line = (row + u * p->dilation_h) * p->in_w + column;
                    for (int32_t v = v0; v < v1; v++) {
                        const int32_t weight = w[(u * p->kernel_w + v) * p->out_c + k];
                        const int32_t pixel = x[(line + v * p->dilation_w) * p->in_c + c];
                        sum += (weight - p->weight_zero) * (pixel - p->input_zero);
                    }
                }
                *y++ = nsk_store_s8(sum, p->multiplier[k], p->shift[k], p->output_zero, p->low,
                                    p->high);
            }
        }
    }
}
