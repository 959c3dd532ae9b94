/* Average pooling, int8, portable C99. See average_pool2d.h. */
#include "average_pool2d.h"
#include "nsk_fixed.h"
#include "nsk_window.h"

/* A window inside the image: where it starts, its extents, what padding adds, how many count. */
typedef struct {
    const int8_t *x;
    int32_t rows, columns;
    int32_t border, count;
} area;

static inline int8_t mean(const nsk_average_pool2d *p, int32_t sum, int32_t count)
{
    const int32_t half = count / 2;
    return (int8_t)nsk_clamp((sum > 0 ? sum + half : sum - half) / count, p->low, p->high);
}

static void window(const nsk_average_pool2d *p, const area *a, int8_t *y)
{
    const int32_t down = p->in_w * p->channels;
    int32_t c = 0;
    for (; c + 4 <= p->channels; c += 4) {
        int32_t sum0 = a->border, sum1 = sum0, sum2 = sum0, sum3 = sum0;
        for (int32_t u = 0; u < a->rows; u++) {
            const int8_t *pixel = a->x + u * down + c;
            for (int32_t v = 0; v < a->columns; v++, pixel += p->channels) {
                sum0 += pixel[0];
                sum1 += pixel[1];
                sum2 += pixel[2];
                sum3 += pixel[3];
            }
        }
        y[c] = mean(p, sum0, a->count);
        y[c + 1] = mean(p, sum1, a->count);
        y[c + 2] = mean(p, sum2, a->count);
        y[c + 3] = mean(p, sum3, a->count);
    }
    for (; c < p->channels; c++) {
        int32_t sum = a->border;
        for (int32_t u = 0; u < a->rows; u++) {
            for (int32_t v = 0; v < a->columns; v++) {
                sum += a->x[u * down + v * p->channels + c];
            }
        }
        y[c] = mean(p, sum, a->count);
    }
}

void nsk_average_pool2d_s8(const nsk_average_pool2d *p, const int8_t *x, int8_t *y)
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
}
