/* Convolution, float32, portable C99. See conv2d.h.
 *
 * Four output channels at a time share the loads of the image; each sum runs over rows, columns and
 * channels in this order, whatever its neighbours.
 */
#include "conv2d.h"
#include "nsk_real.h"
#include "nsk_window.h"

/* The taps of a window that lie inside the image: rows of runs of contiguous elements. */
typedef struct {
    int32_t rows, runs, length;
    int32_t x_down, x_right; /* elements from row to row and run to run, in the image */
    int32_t w_down, w_right; /* and in the weights */
    int32_t filter;          /* from one output channel's weights to the next's */
} area;

static void sum4(const area *a, const float *x, const float *w, float *sums)
{
    float sum0 = sums[0], sum1 = sums[1], sum2 = sums[2], sum3 = sums[3];
    for (int32_t u = 0; u < a->rows; u++) {
        for (int32_t r = 0; r < a->runs; r++) {
            const float *pixel = x + u * a->x_down + r * a->x_right;
            const float *w0 = w + u * a->w_down + r * a->w_right;
            const float *w1 = w0 + a->filter, *w2 = w1 + a->filter, *w3 = w2 + a->filter;
            for (int32_t c = 0; c < a->length; c++) {
                const float value = pixel[c];
                sum0 += w0[c] * value;
                sum1 += w1[c] * value;
                sum2 += w2[c] * value;
                sum3 += w3[c] * value;
            }
        }
    }
    sums[0] = sum0;
    sums[1] = sum1;
    sums[2] = sum2;
    sums[3] = sum3;
}

static float sum1(const area *a, const float *x, const float *w, float sum)
{
    for (int32_t u = 0; u < a->rows; u++) {
        for (int32_t r = 0; r < a->runs; r++) {
            const float *pixel = x + u * a->x_down + r * a->x_right;
            const float *weights = w + u * a->w_down + r * a->w_right;
            for (int32_t c = 0; c < a->length; c++) {
                sum += weights[c] * pixel[c];
            }
        }
    }
    return sum;
}

/* All channels of one pixel. */
static void pixel(const nsk_conv2d_real *p, const area *a, const float *x, const float *w,
                  const float *b, float *y)
{
    const int32_t per_group = p->out_c / p->groups;
    for (int32_t end = per_group; end <= p->out_c; end += per_group, x += p->in_c / p->groups) {
        int32_t k = end - per_group;
        for (; k + 4 <= end; k += 4, w += 4 * a->filter) {
            float sums[4] = {b[k], b[k + 1], b[k + 2], b[k + 3]};
            sum4(a, x, w, sums);
            for (int32_t n = 0; n < 4; n++) {
                y[k + n] = nsk_clamp_f32(sums[n], p->low, p->high);
            }
        }
        for (; k < end; k++, w += a->filter) {
            y[k] = nsk_clamp_f32(sum1(a, x, w, b[k]), p->low, p->high);
        }
    }
}

void nsk_conv2d_f32(const nsk_conv2d_real *p, const float *x, const float *w, const float *b,
                    float *y)
{
    const int32_t depth = p->in_c / p->groups;
    const int32_t merge = p->groups == 1 && p->dilation_w == 1;
    area a;
    a.x_down = p->dilation_h * p->in_w * p->in_c;
    a.x_right = p->dilation_w * p->in_c;
    a.w_down = p->kernel_w * depth;
    a.w_right = depth;
    a.filter = p->kernel_h * p->kernel_w * depth;
    for (int32_t i = 0; i < p->out_h; i++) {
        const int32_t row = i * p->stride_h - p->pad_top;
        const int32_t u = nsk_first_tap(row, p->dilation_h);
        a.rows = nsk_end_tap(row, p->dilation_h, p->kernel_h, p->in_h) - u;
        for (int32_t j = 0; j < p->out_w; j++, y += p->out_c) {
            const int32_t column = j * p->stride_w - p->pad_left;
            const int32_t v = nsk_first_tap(column, p->dilation_w);
            const int32_t taps = nsk_end_tap(column, p->dilation_w, p->kernel_w, p->in_w) - v;
            const int32_t inside = a.rows > 0 && taps > 0;
            const int32_t first = (row + u * p->dilation_h) * p->in_w + column + v * p->dilation_w;
            a.runs = !inside ? 0 : merge ? 1 : taps;
            a.length = merge ? taps * depth : depth;
            pixel(p, &a, inside ? x + first * p->in_c : x,
                  inside ? w + (u * p->kernel_w + v) * depth : w, b, y);
        }
    }
}
