/* Bilinear resize, float32, portable C99. See resize.h. */
#include "resize.h"

void nsk_resize_bilinear_f32(const nsk_resize_bilinear_real *p, const float *x, float *y)
{
    const int32_t line = p->in_w * p->channels;
    for (int32_t i = 0; i < p->out_h; i++) {
        const float *top = x + p->top[i] * line;
        const float *bottom = x + p->bottom[i] * line;
        const float a = p->down[i];
        for (int32_t j = 0; j < p->out_w; j++) {
            const int32_t left = p->left[j] * p->channels;
            const int32_t right = p->right[j] * p->channels;
            const float b = p->along[j];
            for (int32_t c = 0; c < p->channels; c++) {
                const float upper = top[left + c] * (1.0f - b) + top[right + c] * b;
                const float lower = bottom[left + c] * (1.0f - b) + bottom[right + c] * b;
                *y++ = upper * (1.0f - a) + lower * a;
            }
        }
    }
}
