/* Transposed convolution, int8, portable C99. See transposed_conv2d.h.
 *
 * Each output pixel gathers the input pixels that paint onto it: those whose distance is a
 * multiple of the stride. Two output channels at a time share the loads of the image.
 */
#include "transposed_conv2d.h"
#include "nsk_fixed.h"
#include "painting_taps.h"

static NSK_NOINLINE void dot(const nsk_transposed_conv2d *p, const int8_t *x, const int8_t *w,
                             int32_t filter, int32_t length, int32_t *sums)
{
    const int8_t *const end = x + length;
    const int32_t zero = p->input_zero, shift = p->weight_zero;
    int32_t sum0 = sums[0], sum1 = sums[1];
    for (; x != end; x++, w++) {
        const int32_t pixel = *x - zero;
        sum0 += (w[0] - shift) * pixel;
        sum1 += (w[filter] - shift) * pixel;
    }
    sums[0] = sum0;
    sums[1] = sum1;
}

static inline int8_t store(const nsk_transposed_conv2d *p, int32_t sum, int32_t k)
{
    return nsk_store_s8(sum, p->multiplier[k], p->shift[k], p->output_zero, p->low, p->high);
}

/* Channels k and last of one pixel. */
static void gather(const nsk_transposed_conv2d *p, const taps *h, const taps *v, const int8_t *x,
                   const int8_t *w, int32_t next, int32_t *sums)
{
    const int32_t depth = p->in_c / p->groups;
    int32_t row = h->place;
    for (int32_t i = h->first; i < h->kernel && row >= 0; i += h->step, row -= h->back) {
        int32_t column = v->place;
        for (int32_t j = v->first; row < h->size && j < v->kernel && column >= 0;
             j += v->step, column -= v->back) {
            if (column < v->size) {
                const int8_t *filter = w + (i * p->kernel_w + j) * depth;
                const int8_t *pixel = x + (row * p->in_w + column) * p->in_c;
                dot(p, pixel, filter, next, depth, sums);
            }
        }
    }
}

void nsk_transposed_conv2d_s8(const nsk_transposed_conv2d *p, const int8_t *x, const int8_t *w,
                              const int32_t *b, int8_t *y)
{
    const int32_t depth = p->in_c / p->groups;
    const int32_t per_group = p->out_c / p->groups;
    const int32_t size = p->kernel_h * p->kernel_w * depth;
    for (int32_t i = 0; i < p->out_h; i++) {
        const taps h =
            taps_at(i + p->crop_top, p->kernel_h, p->stride_h, p->dilation_h, p->step_h, p->in_h);
        for (int32_t j = 0; j < p->out_w; j++, y += p->out_c) {
            const taps v = taps_at(j + p->crop_left, p->kernel_w, p->stride_w, p->dilation_w,
                                   p->step_w, p->in_w);
            for (int32_t group = 0; group < p->groups; group++) {
                const int32_t end = (group + 1) * per_group;
                for (int32_t k = group * per_group; k < end; k += 2) {
                    const int32_t last = k + 1 < end ? k + 1 : k;
                    int32_t sums[2] = {b[k], b[last]};
                    gather(p, &h, &v, x + group * depth, w + k * size, (last - k) * size, sums);
                    y[k] = store(p, sums[0], k);
                    y[last] = store(p, sums[1], last);
                }
            }
        }
    }
}
