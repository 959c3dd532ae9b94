/* Bilinear resize, int8, portable C99. See resize.h. */
#include "resize.h"

void nsk_resize_bilinear_s8(const nsk_resize_bilinear *p, const int8_t *x, int8_t *y)
{
    const int32_t line = p->in_w * p->channels;
    for (int32_t i = 0; i < p->out_h; i++) {
        const int8_t *top = x + p->top[i] * line;
        const int8_t *bottom = x + p->bottom[i] * line;
        const int32_t a = p->down[i];
        for (int32_t j = 0; j < p->out_w; j++) {
            const int32_t left = p->left[j] * p->channels;
            const int32_t right = p->right[j] * p->channels;
            const int32_t b = p->along[j];
            const int32_t weight0 = (1024 - a) * (1024 - b), weight1 = (1024 - a) * b;
            const int32_t weight2 = a * (1024 - b), weight3 = a * b;
            for (int32_t c = 0; c < p->channels; c++) {
                const int32_t sum = weight0 * top[left + c] + weight1 * top[right + c] +
                                    weight2 * bottom[left + c] + weight3 * bottom[right + c];
                const int32_t half = sum > 0 ? 1 << 19 : -(1 << 19);
                *y++ = (int8_t)((sum + half) / (1 << 20));
            }
        }
    }
}
