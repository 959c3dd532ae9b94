/* Depthwise convolution, float32, portable C99. See depthwise_conv2d.h.
 *
 * Four neighbouring channels at a time; each sum runs over rows and columns in this order.
 */
#include "depthwise_conv2d.h"
#include "nsk_real.h"
#include "nsk_window.h"

/* The taps of one window that lie inside the image: elements from one to the next. */
typedef struct {
    const float *x, *w;
    int32_t rows, columns;
    int32_t x_down, x_right, w_down, w_right;
} area;

static void sum4(const area *a, int32_t k, float *sums)
{
    float sum0 = sums[0], sum1 = sums[1], sum2 = sums[2], sum3 = sums[3];
    for (int32_t u = 0; u < a->rows; u++) {
        const float *x = a->x + u * a->x_down + k;
        const float *w = a->w + u * a->w_down + k;
        for (int32_t v = a->columns; v > 0; v--, x += a->x_right, w += a->w_right) {
            sum0 += w[0] * x[0];
            sum1 += w[1] * x[1];
            sum2 += w[2] * x[2];
            sum3 += w[3] * x[3];
        }
    }
    sums[0] = sum0;
    sums[1] = sum1;
    sums[2] = sum2;
    sums[3] = sum3;
}

/* Output channel k, of input channel c. */
static float sum1(const area *a, int32_t c, int32_t k, float sum)
{
    for (int32_t u = 0; u < a->rows; u++) {
        const float *x = a->x + u * a->x_down + c;
        const float *w = a->w + u * a->w_down + k;
        for (int32_t v = a->columns; v > 0; v--, x += a->x_right, w += a->w_right) {
            sum += *w * *x;
        }
    }
    return sum;
}

/* All channels of one pixel. */
static void pixel(const nsk_depthwise_conv2d_real *p, const area *a, const float *b, float *y)
{
    const int32_t multiple = p->out_c / p->in_c;
    int32_t k = 0;
    for (; multiple == 1 && k + 4 <= p->out_c; k += 4) {
        float sums[4] = {b[k], b[k + 1], b[k + 2], b[k + 3]};
        sum4(a, k, sums);
        for (int32_t n = 0; n < 4; n++) {
            y[k + n] = nsk_clamp_f32(sums[n], p->low, p->high);
        }
    }
    for (; k < p->out_c; k++) {
        const int32_t c = multiple == 1 ? k : k / multiple;
        y[k] = nsk_clamp_f32(sum1(a, c, k, b[k]), p->low, p->high);
    }
}

void nsk_depthwise_conv2d_f32(const nsk_depthwise_conv2d_real *p, const float *x, const float *w,
                              const float *b, float *y)
{
    area a;
    a.x_right = p->dilation_w * p->in_c;
    a.x_down = p->dilation_h * p->in_w * p->in_c;
    a.w_right = p->out_c;
    a.w_down = p->kernel_w * p->out_c;
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
            a.columns = inside ? taps : 0;
            a.x = inside ? x + first * p->in_c : x;
            a.w = inside ? w + (u * p->kernel_w + v) * p->out_c : w;
            pixel(p, &a, b, y);
        }
    }
}
