/* Average pooling, int8, for Armv7E-M DSP; plain C elsewhere: four channels a word, in lanes of 16
 * bits, which hold the sum of a window of at most 255 pixels. See average_pool2d.h.
 */
#include "average_pool2d.h"
#include "nsk_dsp.h"
#include "nsk_fixed.h"
#include "nsk_window.h"

/* A window inside the image: where it starts, its extents, what padding adds, how many count. */
typedef struct {
    const int8_t *x;
    int32_t rows, columns;
    int32_t border, count;
} area;

static inline int8_t mean(int32_t sum, int32_t count, int32_t half)
{
    return (int8_t)((sum > 0 ? sum + half : sum - half) / count);
}

/* Channels c to c + 3. */
static NSK_NOINLINE void four(const nsk_average_pool2d *p, const area *a, int32_t c, int8_t *y)
{
    const int32_t down = p->in_w * p->channels, right = p->channels, border = a->border;
    const int8_t *row = a->x + c;
    uint32_t even = 0, odd = 0;
    for (int32_t u = a->rows; u > 0; u--, row += down) {
        const int8_t *pixel = row;
        for (int32_t v = a->columns; v > 0; v--, pixel += right) {
            const uint32_t word = nsk_load4(pixel);
            even = nsk_add_even(even, word);
            odd = nsk_add_odd(odd, word);
        }
    }
    const int32_t count = a->count, half = count >> 1;
    y += c;
    y[0] = mean(border + nsk_low(even), count, half);
    y[1] = mean(border + nsk_low(odd), count, half);
    y[2] = mean(border + nsk_top(even), count, half);
    y[3] = mean(border + nsk_top(odd), count, half);
}

static void window(const nsk_average_pool2d *p, const area *a, int8_t *y)
{
    const int32_t down = p->in_w * p->channels;
    int32_t c = 0;
    for (; c + 4 <= p->channels; c += 4) {
        four(p, a, c, y);
    }
    for (; c < p->channels; c++) {
        int32_t sum = a->border;
        for (int32_t u = 0; u < a->rows; u++) {
            for (int32_t v = 0; v < a->columns; v++) {
                sum += a->x[u * down + v * p->channels + c];
            }
        }
        y[c] = mean(sum, a->count, a->count / 2);
    }
}

void nsk_average_pool2d_s8_dsp(const nsk_average_pool2d *p, const int8_t *x, int8_t *y)
{
    for (int32_t i = 0; i < p->out_h; i++) {
        const int32_t row = i * p->stride_h - p->pad_top;
        const int32_t u = nsk_first_tap(row, 1);
        const int32_t rows = nsk_end_tap(row, 1, p->kernel_h, p->in_h) - u;
        for (int32_t j = 0; j < p->out_w; j++, y += p->channels) {
            const int32_t column = j * p->stride_w - p->pad_left;
            const int32_t v = nsk_first_tap(column, 1);
            const int32_t columns = nsk_end_tap(column, 1, p->kernel_w, p->in_w) - v;
            area a = {x, rows, columns, 0, rows * columns};
            if (rows <= 0 || columns <= 0) {
                a.rows = 0;
                a.count = 0;
            } else {
                a.x += ((row + u) * p->in_w + column + v) * p->channels;
            }
            if (p->include_padding) {
                a.border = (p->kernel_h * p->kernel_w - a.count) * p->zero;
                a.count = p->kernel_h * p->kernel_w;
            }
            window(p, &a, y);
        }
    }
    if (p->low > -128 || p->high < 127) {
        y -= p->out_h * p->out_w * p->channels;
        for (int32_t i = 0; i < p->out_h * p->out_w * p->channels; i++) {
            y[i] = (int8_t)nsk_clamp(y[i], p->low, p->high);
        }
    }
}
