/* Transposed convolution, float32, portable C99. See transposed_conv2d.h.
 *
 * Each output pixel gathers the input pixels that paint onto it: those whose distance is a
 * multiple of the stride.
 */
#include "transposed_conv2d.h"
#include "nsk_real.h"

/* The input place that tap u of a kernel paints from onto an output place, or -1. */
static inline int32_t source(int32_t place, int32_t tap, int32_t stride, int32_t size)
{
    const int32_t distance = place - tap;
    if (distance < 0 || distance % stride != 0) {
        return -1;
    }
    const int32_t at = distance / stride;
    return at < size ? at : -1;
}

void nsk_transposed_conv2d_f32(const nsk_transposed_conv2d_real *p, const float *x, const float *w,
                               const float *b, float *y)
{
    const int32_t depth = p->in_c / p->groups;
    const int32_t per_group = p->out_c / p->groups;
    const int32_t taps = p->kernel_h * p->kernel_w;
    for (int32_t i = 0; i < p->out_h; i++) {
        for (int32_t j = 0; j < p->out_w; j++, y += p->out_c) {
            for (int32_t k = 0; k < p->out_c; k++) {
                float sum = b[k];
                for (int32_t u = 0; u < p->kernel_h; u++) {
                    const int32_t row =
                        source(i + p->crop_top, u * p->dilation_h, p->stride_h, p->in_h);
                    if (row < 0) {
                        continue;
                    }
                    for (int32_t v = 0; v < p->kernel_w; v++) {
                        const int32_t column =
                            source(j + p->crop_left, v * p->dilation_w, p->stride_w, p->in_w);
                        if (column < 0) {
                            continue;
                        }
                        const float *filter = w + (k * taps + u * p->kernel_w + v) * depth;
                        const float *pixel =
                            x + (row * p->in_w + column) * p->in_c + k / per_group * depth;
                        for (int32_t c = 0; c < depth; c++) {
                            sum += filter[c] * pixel[c];
                        }
                    }
                }
                y[k] = nsk_clamp_f32(sum, p->low, p->high);
            }
        }
    }
}
