/* Max pooling, int8, for MVE; plain C elsewhere. See max_pool2d.h. */
#include "max_pool2d.h"
#include "nsk_fixed.h"
#include "nsk_mve.h"
#include "nsk_window.h"

enum { LANES = 16 };

/* A window inside the image; bytes from one row and column to the next. */
typedef struct {
    const int8_t *x;
    int32_t rows, columns, down, right;
    int32_t channels; /* 1 .. LANES */
} area;

/* Largest of up to sixteen channels, 5 instructions a pixel. */
static NSK_NOINLINE void largest16(const area *a, int8_t *y)
{
#ifdef NSK_MVE
    const int8_t *x = a->x;
    int32_t rows = a->rows;
    const int32_t skip = a->down - a->columns * a->right;
    __asm__ volatile(".syntax unified\n"
                     "vmov.i8 q0, #128\n"
                     "vctp.8 %4\n"
                     "1:\n"
                     "mov lr, %2\n"
                     "dls lr, lr\n"
                     "2:\n"
                     "vpst\n"
                     "vldrbt.u8 q1, [%0]\n"
                     "add %0, %0, %3\n"
                     "vmax.s8 q0, q0, q1\n"
                     "le lr, 2b\n"
                     "add %0, %0, %5\n"
                     "subs %1, %1, #1\n"
                     "bne 1b\n"
                     "vpst\n"
                     "vstrbt.8 q0, [%6]\n"
                     : "+r"(x), "+r"(rows)
                     : "r"(a->columns), "r"(a->right), "r"(a->channels), "r"(skip), "r"(y)
                     : "lr", "q0", "q1", "cc", "memory");
#else
    for (int32_t c = 0; c < a->channels; c++) {
        int8_t best = a->x[c];
        for (int32_t u = 0; u < a->rows; u++) {
            for (int32_t v = 0; v < a->columns; v++) {
                const int8_t at = a->x[u * a->down + v * a->right + c];
                best = at > best ? at : best;
            }
        }
        y[c] = best;
    }
#endif
}

void nsk_max_pool2d_s8_mve(const nsk_max_pool2d *p, const int8_t *x, int8_t *y)
{
    for (int32_t i = 0; i < p->out_h; i++) {
        const int32_t row = i * p->stride_h - p->pad_top;
        const int32_t u = nsk_first_tap(row, p->dilation_h);
        const int32_t rows = nsk_end_tap(row, p->dilation_h, p->kernel_h, p->in_h) - u;
        for (int32_t j = 0; j < p->out_w; j++) {
            const int32_t column = j * p->stride_w - p->pad_left;
            const int32_t v = nsk_first_tap(column, p->dilation_w);
            const int32_t columns = nsk_end_tap(column, p->dilation_w, p->kernel_w, p->in_w) - v;
            const int32_t first = (row + u * p->dilation_h) * p->in_w + column + v * p->dilation_w;
            area a = {
                x + first * p->channels,     rows, columns, p->dilation_h * p->in_w * p->channels,
                p->dilation_w * p->channels, 0};
            for (int32_t c = 0; c < p->channels; c += LANES, a.x += LANES, y += a.channels) {
                a.channels = p->channels - c < LANES ? p->channels - c : LANES;
                largest16(&a, y);
            }
        }
    }
}
