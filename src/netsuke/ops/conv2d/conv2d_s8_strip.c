/* Convolution, int8, portable C99, for weights with zero point 0. See conv2d.h.
 *
 * The windows of two neighbouring pixels are copied into a strip, padding included, so that every
 * output channel is one inner product with it. The input zero point is folded into the bias:
 * b[k] is the layer's bias minus input_zero * sum of w[k]; the model's compiler has proved that
 * |b[k]| + sum|w[k]| * 128 < 2^31.
 *
 * strip: two windows [group][tap][channel of the group].
 *
 * y may start at x when there is a ring: input rows that y is about to overwrite are saved in it,
 * as many as later windows may still see.
 */
#include "conv2d.h"
#include "nsk_dot.h"
#include "nsk_fixed.h"
#include "nsk_window.h"

#include <string.h>

/* The rows of taps that lie inside the image: first <= u < end. */
typedef struct {
    const int8_t *row[NSK_CONV2D_ROWS];
    int32_t first, end;
} rows;

/* Copy the window that starts at a column. */
static void gather(const nsk_conv2d *p, const rows *r, int32_t column, int8_t *strip)
{
    const int32_t depth = p->in_c / p->groups;
    const int32_t merge = p->groups == 1 && p->dilation_w == 1;
    const int32_t v0 = nsk_first_tap(column, p->dilation_w);
    const int32_t v1 = nsk_end_tap(column, p->dilation_w, p->kernel_w, p->in_w);
    const int32_t taps = p->kernel_h * p->kernel_w;
    if (v1 - v0 < p->kernel_w || r->end - r->first < p->kernel_h) {
        memset(strip, p->input_zero, (size_t)(taps * p->in_c));
    }
    if (v0 >= v1) {
        return;
    }
    for (int32_t u = r->first; u < r->end; u++) {
        const int8_t *from = r->row[u] + (column + v0 * p->dilation_w) * p->in_c;
        if (merge) {
            memcpy(strip + (u * p->kernel_w + v0) * depth, from, (size_t)((v1 - v0) * depth));
            continue;
        }
        for (int32_t v = v0; v < v1; v++, from += p->dilation_w * p->in_c) {
            for (int32_t g = 0; g < p->groups; g++) {
                memcpy(strip + (g * taps + u * p->kernel_w + v) * depth, from + g * depth,
                       (size_t)depth);
            }
        }
    }
}

/* Channel k of the block's one or two pixels; column 0 or 1 of the sums. */
static NSK_NOINLINE void store(const nsk_conv2d *p, const int32_t *sum, int32_t k, int32_t count,
                               int8_t *y)
{
    const int32_t multiplier = p->multiplier[k], shift = p->shift[k], zero = p->output_zero;
    const int32_t low = p->low, high = p->high;
    y[k] = nsk_store_s8(sum[0], multiplier, shift, zero, low, high);
    if (count == 2) {
        y[p->out_c + k] = nsk_store_s8(sum[2], multiplier, shift, zero, low, high);
    }
}

/* All channels of the one or two pixels of the strip. */
static void multiply(const nsk_conv2d *p, const int8_t *strip, int32_t count, const int8_t *w,
                     const int32_t *b, int8_t *y)
{
    const int32_t per_group = p->out_c / p->groups;
    nsk_dot task;
    task.length = p->kernel_h * p->kernel_w * (p->in_c / p->groups);
    for (int32_t end = per_group; end <= p->out_c; end += per_group, strip += task.length) {
        for (int32_t k = end - per_group; k < end; k += 2) {
            const int32_t last = k + 1 < end ? k + 1 : k;
            task.x0 = strip;
            task.x1 = strip + task.length * p->groups;
            task.w0 = w + k * task.length;
            task.w1 = w + last * task.length;
            task.sum[0] = task.sum[2] = b[k];
            task.sum[1] = task.sum[3] = b[last];
            if (count == 2) {
                nsk_dot2x2(&task);
            } else {
                nsk_dot1x2(&task, 0);
            }
            store(p, task.sum, k, count, y);
            if (last > k) {
                store(p, task.sum + 1, last, count, y);
            }
        }
    }
}

static void convolve(const nsk_conv2d *p, const int8_t *x, const int8_t *w, const int32_t *b,
                     int8_t *y, int8_t *ring, int8_t *strip)
{
    const int32_t bytes = p->in_w * p->in_c;
    int32_t saved = 0;
    rows r;
    for (int32_t i = 0; i < p->out_h; i++) {
        const int32_t top = i * p->stride_h - p->pad_top;
        r.first = nsk_first_tap(top, p->dilation_h);
        r.end = nsk_end_tap(top, p->dilation_h, p->kernel_h, p->in_h);
        for (; p->ring > 0 && saved < p->in_h && saved * bytes < (i + 1) * p->out_w * p->out_c;
             saved++) {
            memcpy(ring + saved % p->ring * bytes, x + saved * bytes, (size_t)bytes);
        }
        for (int32_t u = r.first; u < r.end; u++) {
            const int32_t at = top + u * p->dilation_h;
            r.row[u] = at < saved ? ring + at % p->ring * bytes : x + at * bytes;
        }
        for (int32_t j = 0; j < p->out_w; j += 2) {
            const int32_t column = j * p->stride_w - p->pad_left;
            const int32_t count = j + 1 < p->out_w ? 2 : 1;
            gather(p, &r, column, strip);
            if (count == 2) {
                gather(p, &r, column + p->stride_w, strip + p->kernel_h * p->kernel_w * p->in_c);
            }
            multiply(p, strip, count, w, b, y);
            y += count * p->out_c;
        }
    }
}

void nsk_conv2d_s8_strip(const nsk_conv2d *p, const int8_t *x, const int8_t *w, const int32_t *b,
                         int8_t *y, void *scratch)
{
    int8_t *ring = (int8_t *)scratch;
    convolve(p, x, w, b, y, ring, ring + p->ring * p->in_w * p->in_c);
}

void nsk_conv2d_s8_strip_small(const nsk_conv2d *p, const int8_t *x, const int8_t *w,
                               const int32_t *b, int8_t *y)
{
    int8_t strip[2 * NSK_CONV2D_WINDOW];
    convolve(p, x, w, b, y, strip, strip);
}
