/* Two-dimensional convolution, int8, for MVE; plain C elsewhere. See conv2d.h and nsk_quads.h.
 *
 * Two output pixels at a time, as vectors that are contiguous in scratch:
 *
 *   flat   a window is one pixel, and the same pixel as the output; both are copied. y may start
 *          at x: when an output pixel is longer than an input pixel, the last pixels come first;
 *   lines  the rows that a row of outputs sees, [column][row][channel], padding included, so that
 *          a window is contiguous wherever it starts. The next row of outputs moves the lines down
 *          and inserts the rows that are new. y may start at x when no row is overwritten before.
 */
#include "conv2d.h"
#include "nsk_quads_pair.h"

/* Copy `count` pixels of `bytes` bytes, from one distance to another. */
static void spread(int8_t *to, int32_t to_step, const int8_t *from, int32_t from_step,
                   int32_t bytes, int32_t count)
{
#ifdef NSK_MVE
    if (bytes <= 16) {
        __asm__ volatile(".syntax unified\n"
                         "vctp.8 %4\n"
                         "wls lr, %5, 2f\n"
                         "1:\n"
                         "vpstt\n"
                         "vldrbt.u8 q0, [%1]\n"
                         "vstrbt.u8 q0, [%0]\n"
                         "add %1, %1, %3\n"
                         "add %0, %0, %2\n"
                         "le lr, 1b\n"
                         "2:\n"
                         : "+r"(to), "+r"(from)
                         : "r"(to_step), "r"(from_step), "r"(bytes), "r"(count)
                         : "lr", "q0", "cc", "memory");
        return;
    }
#endif
    for (int32_t n = 0; n < count; n++, to += to_step, from += from_step) {
        nsk_mve_move(to, from, bytes);
    }
}

/* Put a row of the image, or padding, in slot u of every column of the lines. */
static void insert(const nsk_conv2d_quads *p, int8_t *lines, const int8_t *x, int32_t row,
                   int32_t u)
{
    const int32_t depth = p->in_c / p->groups, column = p->kernel_h * depth;
    const int32_t inside = row >= 0 && row < p->in_h;
    const int32_t left = inside && p->pad_left < p->columns ? p->pad_left : p->columns;
    const int32_t room = p->columns - left;
    const int32_t middle = p->in_w < room ? p->in_w : room;
    int8_t fill[16];
    int8_t *to = lines + u * depth;
    nsk_mve_fill(fill, p->input_zero, 16);
    for (int32_t c = 0; c < depth; c += 16) {
        const int32_t bytes = depth - c < 16 ? depth - c : 16;
        spread(to + c, column, fill, 0, bytes, left);
        spread(to + (left + middle) * column + c, column, fill, 0, bytes, room - middle);
    }
    if (inside) {
        spread(to + left * column, column, x + row * p->in_w * p->in_c, p->in_c, depth, middle);
    }
}

/* The lines that output row i sees. */
static void load(const nsk_conv2d_quads *p, int8_t *lines, const int8_t *x, int32_t i)
{
    const int32_t depth = p->in_c / p->groups;
    const int32_t top = i * p->stride_h - p->pad_top;
    const int32_t kept = i > 0 && p->dilation_h == 1 ? p->kernel_h - p->stride_h : 0;
    if (kept > 0) {
        const int32_t moved = p->stride_h * depth;
        nsk_mve_move(lines, lines + moved, p->columns * p->kernel_h * depth - moved);
    }
    for (int32_t u = kept > 0 ? kept : 0; u < p->kernel_h; u++) {
        insert(p, lines, x, top + u * p->dilation_h, u);
    }
}

void nsk_conv2d_s8_mve(const nsk_conv2d_quads *p, const int8_t *x, const int32_t *w, int8_t *y,
                       void *scratch)
{
    const int32_t depth = p->in_c / p->groups, per_group = p->out_c / p->groups;
    const int32_t step = p->stride_w * p->kernel_h * depth;
    const int32_t window = p->kernel_w * p->kernel_h * depth;
    const int32_t size = (per_group + 3) / 4 * (16 * p->blocks + 12);
    int8_t *lines = (int8_t *)scratch;
    for (int32_t g = 0; g < p->groups; g++) {
        for (int32_t i = 0; i < p->out_h; i++) {
            load(p, lines, x + g * depth, i);
            for (int32_t j = 0; j < p->out_w; j += 2) {
                int8_t *to = y + (i * p->out_w + j) * p->out_c + g * per_group;
                const int32_t pair = j + 1 < p->out_w;
                const nsk_quads task = {lines + j * step,
                                        lines + (j + pair) * step,
                                        (const int8_t *)(w + g * size),
                                        to,
                                        to + pair * p->out_c,
                                        to,
                                        p->blocks,
                                        p->output_zero,
                                        p->low,
                                        p->high};
                nsk_quads_all(&task, per_group, window, pair ? nsk_quads_pair : nsk_quads_one);
            }
        }
    }
}

void nsk_conv2d_s8_mve_flat(const nsk_conv2d_quads *p, const int8_t *x, const int32_t *w, int8_t *y,
                            void *scratch)
{
    const int32_t pixels = p->out_h * p->out_w, backward = p->out_c > p->in_c;
    int8_t *strip = (int8_t *)scratch;
    for (int32_t done = 0; done < pixels; done += 2) {
        const int32_t pair = done + 1 < pixels;
        const int32_t n = backward ? pixels - done - 1 - pair : done;
        int8_t *to = y + n * p->out_c;
        const nsk_quads task = {strip,     strip + pair * p->in_c, (const int8_t *)w,
                                to,        to + pair * p->out_c,   to,
                                p->blocks, p->output_zero,         p->low,
                                p->high};
        nsk_mve_move(strip, x + n * p->in_c, (1 + pair) * p->in_c);
        nsk_quads_all(&task, p->out_c, p->in_c, pair ? nsk_quads_pair : nsk_quads_one);
    }
}
