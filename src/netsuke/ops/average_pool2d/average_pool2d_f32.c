/* Average pooling, float32, portable C99. See average_pool2d.h. */
#include "average_pool2d.h"
#include "nsk_real.h"
#include "nsk_window.h"

void nsk_average_pool2d_f32(const nsk_average_pool2d_real *p, const float *x, float *y)
{
    const int32_t down = p->in_w * p->channels;
    for (int32_t i = 0; i < p->out_h; i++) {
        const int32_t row = i * p->stride_h - p->pad_top;
        const int32_t u0 = nsk_first_tap(row, 1);
        const int32_t u1 = nsk_end_tap(row, 1, p->kernel_h, p->in_h);
        for (int32_t j = 0; j < p->out_w; j++) {
            const int32_t column = j * p->stride_w - p->pad_left;
            const int32_t v0 = nsk_first_tap(column, 1);
            const int32_t v1 = nsk_end_tap(column, 1, p->kernel_w, p->in_w);
            const int32_t inside = (u1 - u0) * (v1 - v0);
            const float count = (float)(p->include_padding ? p->kernel_h * p->kernel_w : inside);
            for (int32_t c = 0; c < p->channels; c++) {
                float sum = 0.0f;
                for (int32_t u = u0; u < u1; u++) {
                    for (int32_t v = v0; v < v1; v++) {
                        sum += x[(row + u) * down + (column + v) * p->channels + c];
                    }
                }
                *y++ = nsk_clamp_f32(sum / count, p->low, p->high);
            }
        }
    }
}
