/* Average pooling, int8, for MVE; plain C elsewhere. Windows of at most 256 pixels, so that sums fit
 * an int16. See average_pool2d.h. */
#include "average_pool2d.h"
#include "nsk_fixed.h"
#include "nsk_mve.h"
#include "nsk_window.h"

enum { LANES = 8 };

/* A window inside the image; bytes from one row and column to the next. */
typedef struct {
    const int8_t *x;
    int32_t rows, columns, down, right;
    int32_t channels; /* 1 .. LANES */
} area;

/* Sums of up to eight channels over the window, 5 instructions a pixel. */
static NSK_NOINLINE void sum8(const area *a, int16_t *sums)
{
#ifdef NSK_MVE
    const int8_t *x = a->x;
    int32_t rows = a->rows;
    const int32_t skip = a->down - a->columns * a->right;
    __asm__ volatile(".syntax unified\n"
                     "vmov.i32 q0, #0\n"
                     "vctp.16 %4\n"
                     "cmp %1, #0\n"
                     "ble 3f\n"
                     "1:\n"
                     "wls lr, %2, 3f\n"
                     "2:\n"
                     "vpst\n"
                     "vldrbt.s16 q1, [%0]\n"
                     "add %0, %0, %3\n"
                     "vadd.i16 q0, q0, q1\n"
                     "le lr, 2b\n"
                     "add %0, %0, %5\n"
                     "subs %1, %1, #1\n"
                     "bne 1b\n"
                     "3:\n"
                     "vstrh.16 q0, [%6]\n"
                     : "+l"(x), "+r"(rows)
                     : "r"(a->columns), "r"(a->right), "r"(a->channels), "r"(skip), "r"(sums)
                     : "lr", "q0", "q1", "cc", "memory");
#else
    for (int32_t c = 0; c < LANES; c++) {
        sums[c] = 0;
    }
    for (int32_t u = 0; u < a->rows; u++) {
        for (int32_t v = 0; v < a->columns; v++) {
            for (int32_t c = 0; c < a->channels; c++) {
                sums[c] = (int16_t)(sums[c] + a->x[u * a->down + v * a->right + c]);
            }
        }
    }
#endif
}

/* All channels of one window; `border` is what padding adds, `count` how many pixels count. */
static void window(const nsk_average_pool2d *p, area *a, int32_t border, int32_t count, int8_t *y)
{
    const int32_t half = count / 2;
    int16_t sums[LANES];
    for (int32_t c = 0; c < p->channels; c += LANES, a->x += LANES) {
        a->channels = p->channels - c < LANES ? p->channels - c : LANES;
        sum8(a, sums);
        for (int32_t n = 0; n < a->channels; n++) {
            const int32_t sum = sums[n] + border;
            *y++ = (int8_t)nsk_clamp((sum > 0 ? sum + half : sum - half) / count, p->low, p->high);
        }
    }
}

void nsk_average_pool2d_s8_mve(const nsk_average_pool2d *p, const int8_t *x, int8_t *y)
{
    const int32_t whole = p->kernel_h * p->kernel_w;
    for (int32_t i = 0; i < p->out_h; i++) {
        const int32_t row = i * p->stride_h - p->pad_top;
        const int32_t u = nsk_first_tap(row, 1);
        const int32_t rows = nsk_end_tap(row, 1, p->kernel_h, p->in_h) - u;
        for (int32_t j = 0; j < p->out_w; j++, y += p->channels) {
            const int32_t column = j * p->stride_w - p->pad_left;
            const int32_t v = nsk_first_tap(column, 1);
            const int32_t columns = nsk_end_tap(column, 1, p->kernel_w, p->in_w) - v;
            const int32_t inside = rows > 0 && columns > 0 ? rows * columns : 0;
            area a = {x, 0, 0, p->in_w * p->channels, p->channels, 0};
            if (inside > 0) {
                a.x += ((row + u) * p->in_w + column + v) * p->channels;
                a.rows = rows;
                a.columns = columns;
            }
            if (p->include_padding) {
                window(p, &a, (whole - inside) * p->zero, whole, y);
            } else {
                window(p, &a, 0, inside, y);
            }
        }
    }
}
