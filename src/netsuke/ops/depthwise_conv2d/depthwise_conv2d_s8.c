/* Depthwise convolution, int8, portable C99: the plain kernel for every geometry and any zero
 * point of the weights. See depthwise_conv2d.h. */
#include "depthwise_conv2d.h"
#include "nsk_fixed.h"
#include "nsk_window.h"

/* The taps of one window that lie inside the image: where they start, bytes from one to the next. */
typedef struct {
    const int8_t *x, *w;
    int32_t rows, columns;
    int32_t x_down, x_right, w_down, w_right;
    int32_t input_zero, weight_zero;
} area;

/* Four neighbouring channels stay in registers. */
static NSK_NOINLINE void sum4(const area *a, int32_t k, int32_t *sums)
{
    int32_t sum0 = sums[0], sum1 = sums[1], sum2 = sums[2], sum3 = sums[3];
    const int32_t zero = a->input_zero, shift = a->weight_zero;
    for (int32_t u = 0; u < a->rows; u++) {
        const int8_t *x = a->x + u * a->x_down + k;
        const int8_t *w = a->w + u * a->w_down + k;
        for (int32_t v = a->columns; v > 0; v--, x += a->x_right, w += a->w_right) {
            sum0 += (w[0] - shift) * (x[0] - zero);
            sum1 += (w[1] - shift) * (x[1] - zero);
            sum2 += (w[2] - shift) * (x[2] - zero);
            sum3 += (w[3] - shift) * (x[3] - zero);
        }
    }
    sums[0] = sum0;
    sums[1] = sum1;
    sums[2] = sum2;
    sums[3] = sum3;
}

/* Output channel k, of input channel c. */
static NSK_NOINLINE int32_t sum1(const area *a, int32_t c, int32_t k, int32_t sum)
{
    for (int32_t u = 0; u < a->rows; u++) {
        const int8_t *x = a->x + u * a->x_down + c;
        const int8_t *w = a->w + u * a->w_down + k;
        for (int32_t v = a->columns; v > 0; v--, x += a->x_right, w += a->w_right) {
            sum += (*w - a->weight_zero) * (*x - a->input_zero);
        }
    }
    return sum;
}

/* All channels of one pixel. */
static void pixel(const nsk_depthwise_conv2d *p, const area *a, const int32_t *b, int8_t *y)
{
    const int32_t multiple = p->out_c / p->in_c;
    for (int32_t k = 0; k < p->out_c;) {
        int32_t sums[4];
        int32_t count = 1;
        if (multiple == 1 && k + 4 <= p->out_c) {
            count = 4;
            for (int32_t n = 0; n < 4; n++) {
                sums[n] = b[k + n];
            }
            sum4(a, k, sums);
        } else {
            sums[0] = sum1(a, multiple == 1 ? k : k / multiple, k, b[k]);
        }
        for (int32_t n = 0; n < count; n++, k++) {
            y[k] = nsk_store_s8(sums[n], p->multiplier[k], p->shift[k], p->output_zero, p->low,
                                p->high);
        }
    }
}

void nsk_depthwise_conv2d_s8(const nsk_depthwise_conv2d *p, const int8_t *x, const int8_t *w,
                             const int32_t *b, int8_t *y)
{
    area a;
    a.x_right = p->dilation_w * p->in_c;
    a.x_down = p->dilation_h * p->in_w * p->in_c;
    a.w_right = p->out_c;
    a.w_down = p->kernel_w * p->out_c;
    a.input_zero = p->input_zero;
    a.weight_zero = p->weight_zero;
    for (int32_t i = 0; i < p->out_h; i++) {
        const int32_t row = i * p->stride_h - p->pad_top;
        const int32_t u = nsk_first_tap(row, p->dilation_h);
        a.rows = nsk_end_tap(row, p->dilation_h, p->kernel_h, p->in_h) - u;
        for (int32_t j = 0; j < p->out_w; j++, y += p->out_c) {
            const int32_t column = j * p->stride_w - p->pad_left;
            const int32_t v = nsk_first_tap(column, p->dilation_w);
            a.columns = nsk_end_tap(column, p->dilation_w, p->kernel_w, p->in_w) - v;
            if (a.rows > 0 && a.columns > 0) {
                a.x = x +
                      ((row + u * p->dilation_h) * p->in_w + column + v * p->dilation_w) * p->in_c;
                a.w = w + (u * p->kernel_w + v) * p->out_c;
            } else {
                a.columns = 0;
                a.x = x;
                a.w = w;
            }
            pixel(p, &a, b, y);
        }
    }
}
