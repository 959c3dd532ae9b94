/* The means of nsk_average_pool2d, as loops over blocks of channels that compilers turn into vectors.
 *
 * A quotient of integers below 2^24 is right after truncation when it is taken in single precision;
 * so windows have at most 2^16 pixels here.
 */
#ifndef NSK_AVERAGE_POOL2D_WIDE_H
#define NSK_AVERAGE_POOL2D_WIDE_H

#include "average_pool2d.h"
#include "nsk_fixed.h"
#include "nsk_window.h"

#define NSK_AVERAGE_POOL2D_BLOCK 64

/* A window inside the image: its extents, what padding adds to a sum, how many pixels count. */
typedef struct {
    int32_t rows, columns;
    int32_t border, count;
} nsk_average_area;

static inline void nsk_average_block(const nsk_average_pool2d *p, const nsk_average_area *a,
                                     const int8_t *x, int32_t channels, int8_t *y)
{
    const int32_t down = p->in_w * p->channels, half = a->count / 2;
    const float count = (float)a->count;
    int32_t sums[NSK_AVERAGE_POOL2D_BLOCK];
    for (int32_t c = 0; c < channels; c++) {
        sums[c] = a->border;
    }
    for (int32_t u = 0; u < a->rows; u++) {
        for (int32_t v = 0; v < a->columns; v++) {
            const int8_t *pixel = x + u * down + v * p->channels;
            for (int32_t c = 0; c < channels; c++) {
                sums[c] += pixel[c];
            }
        }
    }
    for (int32_t c = 0; c < channels; c++) {
        const int32_t rounded = sums[c] > 0 ? sums[c] + half : sums[c] - half;
        y[c] = (int8_t)nsk_clamp((int32_t)((float)rounded / count), p->low, p->high);
    }
}

static inline void nsk_average_window(const nsk_average_pool2d *p, const nsk_average_area *a,
                                      const int8_t *x, int8_t *y)
{
    int32_t c = 0;
    for (; c + NSK_AVERAGE_POOL2D_BLOCK <= p->channels; c += NSK_AVERAGE_POOL2D_BLOCK) {
        nsk_average_block(p, a, x + c, NSK_AVERAGE_POOL2D_BLOCK, y + c);
    }
    if (c < p->channels) {
        nsk_average_block(p, a, x + c, p->channels - c, y + c);
    }
}

static inline void nsk_average_wide(const nsk_average_pool2d *p, const int8_t *x, int8_t *y)
{
    for (int32_t i = 0; i < p->out_h; i++) {
        const int32_t row = i * p->stride_h - p->pad_top;
        const int32_t u = nsk_first_tap(row, 1);
        const int32_t rows = nsk_end_tap(row, 1, p->kernel_h, p->in_h) - u;
        for (int32_t j = 0; j < p->out_w; j++, y += p->channels) {
            const int32_t column = j * p->stride_w - p->pad_left;
            const int32_t v = nsk_first_tap(column, 1);
            const int32_t columns = nsk_end_tap(column, 1, p->kernel_w, p->in_w) - v;
            const int32_t inside = rows > 0 && columns > 0;
            nsk_average_area a = {inside ? rows : 0, columns, 0, inside ? rows * columns : 0};
            if (p->include_padding) {
                a.border = (p->kernel_h * p->kernel_w - a.count) * p->zero;
                a.count = p->kernel_h * p->kernel_w;
            }
            const int32_t first = inside ? (row + u) * p->in_w + column + v : 0;
            nsk_average_window(p, &a, x + first * p->channels, y);
        }
    }
}

#endif
