/* Convolution, float32, portable C99. See conv2d.h. */
#include "conv2d.h"
#include "nsk_real.h"

void nsk_conv2d_f32(const nsk_conv2d_real *p, const float *x, const float *w, const float *b,
                    float *y)
{
    const int32_t depth = p->in_c / p->groups;
    const int32_t per_group = p->out_c / p->groups;
    for (int32_t i = 0; i < p->out_h; i++) {
        for (int32_t j = 0; j < p->out_w; j++) {
            const float *filter = w;
            for (int32_t k = 0; k < p->out_c; k++) {
                float sum = b[k];
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
                        const float *pixel =
                            x + (row * p->in_w + column) * p->in_c + k / per_group * depth;
                        for (int32_t c = 0; c < depth; c++) {
                            sum += filter[c] * pixel[c];
                        }
                    }
                }
                *y++ = nsk_clamp_f32(sum, p->low, p->high);
            }
        }
    }
}
