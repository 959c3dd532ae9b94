/* Convolution, int8, portable C99: the plain kernel for every geometry. See conv2d.h. */
#include "conv2d.h"
#include "nsk_fixed.h"

void nsk_conv2d_s8(const nsk_conv2d *p, const int8_t *x, const int8_t *w, const int32_t *b,
                   int8_t *y)
{
    const int32_t depth = p->in_c / p->groups;
    const int32_t per_group = p->out_c / p->groups;
    for (int32_t i = 0; i < p->out_h; i++) {
        for (int32_t j = 0; j < p->out_w; j++) {
            const int8_t *filter = w;
            for (int32_t k = 0; k < p->out_c; k++) {
                int32_t sum = b[k];
                for (int32_t u = 0; u < p->kernel_h; u++) {
                    const int32_t row = i * p->stride_h + u * p->dilation_h - p->pad_top;
                    if (row < 0 || row >= p->in_h) {
                        filter += p->kernel_w * depth;
                        continue;
                    }
                    for (int32_t v = 0; v < p->kernel_w; v++, filter += depth) {
                        const int32_t column = j * p->stride_w + v * p->dilation_w - p->pad_left;
                        if (column < 0 || column >= p->in_w) {
                            continue;
                        }
                        const int8_t *pixel =
                            x + (row * p->in_w + column) * p->in_c + k / per_group * depth;
                        for (int32_t c = 0; c < depth; c++) {
                            sum += (filter[c] - p->weight_zero) * (pixel[c] - p->input_zero);
                        }
                    }
                }
                *y++ = nsk_store_s8(sum, p->multiplier[k], p->shift[k], p->output_zero, p->low,
                                    p->high);
            }
        }
    }
}
