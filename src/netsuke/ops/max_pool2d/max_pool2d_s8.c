/* Max pooling, int8, portable C99. See max_pool2d.h. */
#include "max_pool2d.h"
#include "nsk_window.h"

static inline int8_t larger(int8_t a, int8_t b)
{
    return a > b ? a : b;
}

/* Largest of a window of rows x columns pixels; four channels at a time stay in registers. */
static void window(const nsk_max_pool2d *p, const int8_t *x, int32_t rows, int32_t columns,
                   int8_t *y)
{
    const int32_t right = p->dilation_w * p->channels;
    const int32_t down = p->dilation_h * p->in_w * p->channels;
    int32_t c = 0;
    for (; c + 4 <= p->channels; c += 4) {
        int8_t best0 = x[c], best1 = x[c + 1], best2 = x[c + 2], best3 = x[c + 3];
        for (int32_t u = 0; u < rows; u++) {
            for (int32_t v = 0; v < columns; v++) {
                const int8_t *pixel = x + u * down + v * right + c;
                best0 = larger(pixel[0], best0);
                best1 = larger(pixel[1], best1);
                best2 = larger(pixel[2], best2);
                best3 = larger(pixel[3], best3);
            }
        }
        y[c] = best0;
        y[c + 1] = best1;
        y[c + 2] = best2;
        y[c + 3] = best3;
    }
    for (; c < p->channels; c++) {
        int8_t best = x[c];
        for (int32_t u = 0; u < rows; u++) {
            for (int32_t v = 0; v < columns; v++) {
                best = larger(x[u * down + v * right + c], best);
            }
        }
        y[c] = best;
    }
}

void nsk_max_pool2d_s8(const nsk_max_pool2d *p, const int8_t *x, int8_t *y)
{
    for (int32_t i = 0; i < p->out_h; i++) {
        const int32_t row = i * p->stride_h - p->pad_top;
        const int32_t u = nsk_first_tap(row, p->dilation_h);
        const int32_t rows = nsk_end_tap(row, p->dilation_h, p->kernel_h, p->in_h) - u;
        for (int32_t j = 0; j < p->out_w; j++, y += p->channels) {
            const int32_t column = j * p->stride_w - p->pad_left;
            const int32_t v = nsk_first_tap(column, p->dilation_w);
            const int32_t columns = nsk_end_tap(column, p->dilation_w, p->kernel_w, p->in_w) - v;
            const int32_t first = (row + u * p->dilation_h) * p->in_w + column + v * p->dilation_w;
            window(p, x + first * p->channels, rows, columns, y);
        }
    }
}
