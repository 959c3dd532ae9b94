/* The maxima of nsk_max_pool2d, as loops over blocks of channels that compilers turn into vectors.
 */
#ifndef NSK_MAX_POOL2D_WIDE_H
#define NSK_MAX_POOL2D_WIDE_H

#include "max_pool2d.h"
#include "nsk_window.h"

#define NSK_MAX_POOL2D_BLOCK 64

/* Largest of a window of rows x columns pixels, for `count` channels. */
static inline void nsk_max_block(const nsk_max_pool2d *p, const int8_t *x, int32_t rows,
                                 int32_t columns, int32_t count, int8_t *y)
{
    const int32_t right = p->dilation_w * p->channels;
    const int32_t down = p->dilation_h * p->in_w * p->channels;
    int8_t best[NSK_MAX_POOL2D_BLOCK];
    for (int32_t c = 0; c < count; c++) {
        best[c] = x[c];
    }
    for (int32_t u = 0; u < rows; u++) {
        for (int32_t v = 0; v < columns; v++) {
            const int8_t *pixel = x + u * down + v * right;
            for (int32_t c = 0; c < count; c++) {
                best[c] = pixel[c] > best[c] ? pixel[c] : best[c];
            }
        }
    }
    for (int32_t c = 0; c < count; c++) {
        y[c] = best[c];
    }
}

static inline void nsk_max_window(const nsk_max_pool2d *p, const int8_t *x, int32_t rows,
                                  int32_t columns, int8_t *y)
{
    int32_t c = 0;
    for (; c + NSK_MAX_POOL2D_BLOCK <= p->channels; c += NSK_MAX_POOL2D_BLOCK) {
        nsk_max_block(p, x + c, rows, columns, NSK_MAX_POOL2D_BLOCK, y + c);
    }
    if (c < p->channels) {
        nsk_max_block(p, x + c, rows, columns, p->channels - c, y + c);
    }
}

static inline void nsk_max_wide(const nsk_max_pool2d *p, const int8_t *x, int8_t *y)
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
            nsk_max_window(p, x + first * p->channels, rows, columns, y);
        }
    }
}

#endif
