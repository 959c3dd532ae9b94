/* Max pooling, int8, for Armv7E-M DSP; plain C elsewhere: four channels a word. See max_pool2d.h. */
#include "max_pool2d.h"
#include "nsk_dsp.h"
#include "nsk_window.h"

/* Where a window's pixels lie. */
typedef struct {
    const int8_t *x;
    int32_t rows, columns, down, right;
} window;

static uint32_t largest_of_four(const window *w, int32_t c)
{
    const int8_t *row = w->x + c;
    uint32_t best = nsk_load4(row);
    for (int32_t u = w->rows; u > 0; u--, row += w->down) {
        const int8_t *pixel = row;
        for (int32_t v = w->columns; v > 0; v--, pixel += w->right) {
            best = nsk_max8(best, nsk_load4(pixel));
        }
    }
    return best;
}

static int8_t largest(const window *w, int32_t c)
{
    const int8_t *row = w->x + c;
    int8_t best = *row;
    for (int32_t u = w->rows; u > 0; u--, row += w->down) {
        for (int32_t v = 0; v < w->columns; v++) {
            const int8_t pixel = row[v * w->right];
            best = pixel > best ? pixel : best;
        }
    }
    return best;
}

void nsk_max_pool2d_s8_dsp(const nsk_max_pool2d *p, const int8_t *x, int8_t *y)
{
    window w = {x, 0, 0, p->dilation_h * p->in_w * p->channels, p->dilation_w * p->channels};
    for (int32_t i = 0; i < p->out_h; i++) {
        const int32_t row = i * p->stride_h - p->pad_top;
        const int32_t u = nsk_first_tap(row, p->dilation_h);
        w.rows = nsk_end_tap(row, p->dilation_h, p->kernel_h, p->in_h) - u;
        for (int32_t j = 0; j < p->out_w; j++, y += p->channels) {
            const int32_t column = j * p->stride_w - p->pad_left;
            const int32_t v = nsk_first_tap(column, p->dilation_w);
            w.columns = nsk_end_tap(column, p->dilation_w, p->kernel_w, p->in_w) - v;
            w.x = x +
                  ((row + u * p->dilation_h) * p->in_w + column + v * p->dilation_w) * p->channels;
            int32_t c = 0;
            for (; c + 4 <= p->channels; c += 4) {
                nsk_store4(y + c, largest_of_four(&w, c));
            }
            for (; c < p->channels; c++) {
                y[c] = largest(&w, c);
            }
        }
    }
}
