/* Depthwise convolution, int8, portable C99, for weights with zero point 0: one channel at a time.
 * See depthwise_conv2d.h.
 *
 * The channel is copied into scratch as a plane with its borders, so that taps are neighbours, no
 * window needs care, and y may start at x (when m = 1 and y is not larger). The plane holds
 * x + 128, which every core can load with a fixed offset; b holds the rest:
 *
 *   b[k] = bias[k] - (input_zero + 128) * sum of w[k]
 *
 * w: (out_c, kernel_h, kernel_w). The model's compiler has proved |b[k]| + sum|w[k]| * 255 < 2^31.
 */
#include "depthwise_conv2d.h"
#include "nsk_fixed.h"

#include <string.h>

/* One output channel over the plane. */
typedef struct {
    const nsk_depthwise_conv2d_bytes *p;
    const int8_t *w;
    int32_t bias, width; /* of the plane */
} channel;

/* Four neighbouring outputs, 3 taps a row without stride or dilation. */
static NSK_NOINLINE void sum4x3(const channel *task, const uint8_t *row, int32_t *sums)
{
    const int8_t *w = task->w;
    const int32_t down = task->p->dilation_h * task->width;
    int32_t sum0 = task->bias, sum1 = sum0, sum2 = sum0, sum3 = sum0;
    for (int32_t u = task->p->kernel_h; u > 0; u--, row += down, w += 3) {
        const int32_t w0 = w[0], w1 = w[1], w2 = w[2];
        int32_t a = row[0], b = row[1], c = row[2];
        sum0 += w0 * a + w1 * b + w2 * c;
        a = row[3];
        sum1 += w0 * b + w1 * c + w2 * a;
        b = row[4];
        sum2 += w0 * c + w1 * a + w2 * b;
        c = row[5];
        sum3 += w0 * a + w1 * b + w2 * c;
    }
    sums[0] = sum0;
    sums[1] = sum1;
    sums[2] = sum2;
    sums[3] = sum3;
}

/* Four neighbouring outputs, any taps. */
static NSK_NOINLINE void sum4(const channel *task, const uint8_t *row, int32_t *sums)
{
    const nsk_depthwise_conv2d_bytes *p = task->p;
    const int8_t *w = task->w;
    const int32_t next = p->stride_w;
    int32_t sum0 = task->bias, sum1 = sum0, sum2 = sum0, sum3 = sum0;
    for (int32_t u = 0; u < p->kernel_h; u++, row += p->dilation_h * task->width) {
        const uint8_t *tap = row;
        for (int32_t v = p->kernel_w; v > 0; v--, tap += p->dilation_w) {
            const int32_t weight = *w++;
            sum0 += weight * tap[0];
            sum1 += weight * tap[next];
            sum2 += weight * tap[2 * next];
            sum3 += weight * tap[3 * next];
        }
    }
    sums[0] = sum0;
    sums[1] = sum1;
    sums[2] = sum2;
    sums[3] = sum3;
}

static NSK_NOINLINE int32_t sum1(const channel *task, const uint8_t *row)
{
    const nsk_depthwise_conv2d_bytes *p = task->p;
    const int8_t *w = task->w;
    int32_t sum = task->bias;
    for (int32_t u = 0; u < p->kernel_h; u++, row += p->dilation_h * task->width) {
        const uint8_t *tap = row;
        for (int32_t v = p->kernel_w; v > 0; v--, tap += p->dilation_w) {
            sum += *w++ * *tap;
        }
    }
    return sum;
}

/* Output channel k of every pixel. */
static NSK_NOINLINE void run(const channel *task, const uint8_t *plane, int32_t k, int8_t *y)
{
    const nsk_depthwise_conv2d_bytes *p = task->p;
    const int32_t multiplier = p->multiplier[k], shift = p->shift[k];
    const int32_t zero = p->output_zero, low = p->low, high = p->high;
    const int32_t right = p->out_right;
    const int32_t three = p->kernel_w == 3 && p->stride_w == 1 && p->dilation_w == 1;
    for (int32_t i = 0; i < p->out_h; i++) {
        const uint8_t *at = plane + i * p->stride_h * task->width;
        int8_t *to = y + i * p->out_down;
        int32_t j = 0;
        for (; j + 4 <= p->out_w; j += 4, at += 4 * p->stride_w) {
            int32_t sums[4];
            if (three) {
                sum4x3(task, at, sums);
            } else {
                sum4(task, at, sums);
            }
            for (int32_t n = 0; n < 4; n++, to += right) {
                *to = nsk_store_s8(sums[n], multiplier, shift, zero, low, high);
            }
        }
        for (; j < p->out_w; j++, at += p->stride_w, to += right) {
            *to = nsk_store_s8(sum1(task, at), multiplier, shift, zero, low, high);
        }
    }
}

void nsk_depthwise_conv2d_s8_plane(const nsk_depthwise_conv2d_bytes *p, const int8_t *x,
                                   const int8_t *w, const int32_t *b, int8_t *y, void *scratch)
{
    const int32_t height = (p->out_h - 1) * p->stride_h + (p->kernel_h - 1) * p->dilation_h + 1;
    const int32_t width = (p->out_w - 1) * p->stride_w + (p->kernel_w - 1) * p->dilation_w + 1;
    const int32_t rows = p->in_h < height - p->pad_top ? p->in_h : height - p->pad_top;
    const int32_t columns = p->in_w < width - p->pad_left ? p->in_w : width - p->pad_left;
    const int32_t multiple = p->out_c / p->in_c;
    uint8_t *plane = (uint8_t *)scratch;
    memset(plane, p->input_zero + 128, (size_t)(height * width));
    for (int32_t c = 0; c < p->in_c; c++) {
        for (int32_t i = 0; i < rows; i++) {
            const int8_t *from = x + i * p->in_down + c;
            uint8_t *to = plane + (p->pad_top + i) * width + p->pad_left;
            for (int32_t j = 0; j < columns; j++, from += p->in_right) {
                to[j] = (uint8_t)(*from + 128);
            }
        }
        for (int32_t k = c * multiple; k < (c + 1) * multiple; k++) {
            const channel task = {p, w + k * p->kernel_h * p->kernel_w, b[k], width};
            run(&task, plane, k, y + k);
        }
    }
}
