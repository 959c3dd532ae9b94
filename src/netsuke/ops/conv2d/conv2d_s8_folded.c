/* Convolution, int8, portable C99, for weights with zero point 0. See conv2d.h.
 *
 * Two neighbouring pixels times two output channels at a time, in registers. Where a window lies
 * inside the image, the input zero point is folded into the bias:
 *
 *   b[k] + sum of w * (x - zero) = (b[k] - zero * sum of w) + sum of w * x
 *
 * The model's compiler has proved that |folded[k]| + sum|w[k]| * 128 < 2^31, too.
 *
 * y may start at x when there is a ring: input rows that y is about to overwrite are saved in it,
 * as many as later windows may still see. A pointwise y that is larger than x may start at x when
 * its last rows are computed first, each from a copy of its input row.
 */
#include "conv2d.h"
#include "nsk_dot.h"
#include "nsk_fixed.h"
#include "nsk_window.h"

#include <string.h>

/* The taps of a window that lie inside the image: rows of runs of contiguous bytes. */
typedef struct {
    const int8_t *row[NSK_CONV2D_ROWS]; /* the image's rows, one a row of taps */
    int32_t rows, runs, length;
    int32_t x_right;         /* bytes from run to run in the image */
    int32_t w_down, w_right; /* bytes from row to row and run to run in the weights */
} area;

/* Two pixels, at byte `at` of the rows and `next` bytes behind it, times two channels; or one
 * pixel (next = 0) with the zero point subtracted. */
static void sum2x2(const nsk_conv2d *p, const area *a, int32_t at, int32_t next, const int8_t *w,
                   int32_t filter, nsk_dot *task)
{
    for (int32_t u = 0; u < a->rows; u++) {
        for (int32_t r = 0; r < a->runs; r++) {
            task->x0 = a->row[u] + at + r * a->x_right;
            task->x1 = task->x0 + next;
            task->w0 = w + u * a->w_down + r * a->w_right;
            task->w1 = task->w0 + filter;
            if (next > 0) {
                nsk_dot2x2(task);
            } else {
                nsk_dot1x2(task, p->input_zero);
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

/* All channels of one pixel, or of two neighbours whose windows lie inside the image. */
static void pixels(const nsk_conv2d *p, const area *a, int32_t at, int32_t count, const int8_t *w,
                   const int32_t *b, int8_t *y)
{
    const int32_t depth = p->in_c / p->groups;
    const int32_t per_group = p->out_c / p->groups;
    const int32_t filter = p->kernel_h * p->kernel_w * depth;
    const int32_t next = p->stride_w * p->in_c;
    for (int32_t group = 0, end = per_group; group < p->groups; group++, end += per_group) {
        for (int32_t k = end - per_group; k < end; k += 2) {
            const int32_t last = k + 1 < end ? k + 1 : k;
            const int32_t *bias = count == 2 ? p->folded : b;
            nsk_dot task;
            task.length = a->length;
            task.sum[0] = task.sum[2] = bias[k];
            task.sum[1] = task.sum[3] = bias[last];
            sum2x2(p, a, at, count == 2 ? next : 0, w, (last - k) * filter, &task);
            store(p, task.sum, k, count, y);
            if (last > k) {
                store(p, task.sum + 1, last, count, y);
            }
            w += (last - k + 1) * filter;
        }
        at += depth;
    }
}

/* One row of outputs; the area's rows are set. */
static void line(const nsk_conv2d *p, area *a, const int8_t *w, const int32_t *b, int8_t *y)
{
    const int32_t depth = p->in_c / p->groups;
    const int32_t merge = p->groups == 1 && p->dilation_w == 1;
    const int32_t reach = (p->kernel_w - 1) * p->dilation_w + p->stride_w;
    for (int32_t j = 0; j < p->out_w;) {
        const int32_t column = j * p->stride_w - p->pad_left;
        const int32_t v = nsk_first_tap(column, p->dilation_w);
        const int32_t taps = nsk_end_tap(column, p->dilation_w, p->kernel_w, p->in_w) - v;
        const int32_t inside = a->rows > 0 && taps > 0; /* else all of the window is padding */
        const int32_t pair =
            a->rows == p->kernel_h && column >= 0 && column + reach < p->in_w && j + 1 < p->out_w;
        a->runs = !inside ? 0 : merge ? 1 : taps;
        a->length = merge ? taps * depth : depth;
        pixels(p, a, inside ? (column + v * p->dilation_w) * p->in_c : 0, 1 + pair,
               inside ? w + v * depth : w, b, y);
        j += 1 + pair;
        y += (1 + pair) * p->out_c;
    }
}

static void convolve(const nsk_conv2d *p, const int8_t *x, const int8_t *w, const int32_t *b,
                     int8_t *y, int8_t *ring)
{
    const int32_t depth = p->in_c / p->groups;
    const int32_t bytes = p->in_w * p->in_c;
    int32_t saved = 0;
    area a;
    a.x_right = p->dilation_w * p->in_c;
    a.w_down = p->kernel_w * depth;
    a.w_right = depth;
    for (int32_t i = 0; i < p->out_h; i++) {
        const int32_t row = i * p->stride_h - p->pad_top;
        const int32_t u = nsk_first_tap(row, p->dilation_h);
        a.rows = nsk_end_tap(row, p->dilation_h, p->kernel_h, p->in_h) - u;
        for (; p->ring > 0 && saved < p->in_h && saved * bytes < (i + 1) * p->out_w * p->out_c;
             saved++) {
            memcpy(ring + saved % p->ring * bytes, x + saved * bytes, (size_t)bytes);
        }
        for (int32_t n = 0; n < a.rows; n++) {
            const int32_t at = row + (u + n) * p->dilation_h;
            a.row[n] = at < saved ? ring + at % p->ring * bytes : x + at * bytes;
        }
        line(p, &a, w + u * a.w_down, b, y + i * p->out_w * p->out_c);
    }
}

void nsk_conv2d_s8_folded(const nsk_conv2d *p, const int8_t *x, const int8_t *w, const int32_t *b,
                          int8_t *y)
{
    convolve(p, x, w, b, y, y);
}

void nsk_conv2d_s8_folded_ring(const nsk_conv2d *p, const int8_t *x, const int8_t *w,
                               const int32_t *b, int8_t *y, void *scratch)
{
    convolve(p, x, w, b, y, (int8_t *)scratch);
}

/* For pointwise convolutions with stride 1. */
void nsk_conv2d_s8_folded_back(const nsk_conv2d *p, const int8_t *x, const int8_t *w,
                               const int32_t *b, int8_t *y, void *scratch)
{
    const int32_t bytes = p->in_w * p->in_c;
    area a;
    a.rows = 1;
    a.row[0] = (int8_t *)scratch;
    a.x_right = p->in_c;
    a.w_down = a.w_right = p->in_c / p->groups;
    for (int32_t i = p->out_h - 1; i >= 0; i--) {
        memcpy(scratch, x + i * bytes, (size_t)bytes);
        line(p, &a, w, b, y + i * p->out_w * p->out_c);
    }
}
