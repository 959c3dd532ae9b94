/* Windows out of a ring of padded rows: what the convolutions of one and of several groups share.
 *
 * The file that includes this one defines `copy_row`, and `widen_taps` if it defines
 * NSK_TAPS_APART before.
 */
#ifndef NSK_CONV2D_RING_H
#define NSK_CONV2D_RING_H

#include "conv2d.h"
#include "conv2d_strip.h"

typedef struct {
    const nsk_conv2d_packed *p;
    const int8_t *x;
    int8_t *ring, *end;  /* padded rows */
    int8_t *next;        /* where the next row goes */
    int32_t loaded;      /* rows that went in, padding included */
    int8_t *top;         /* first row of the next window */
    int32_t row, column; /* of the next output pixel */
} source;

/* Copy the pixels of a row of the image. */
static void copy_row(const nsk_conv2d_packed *p, const int8_t *x, int32_t row, int8_t *to);

static int32_t *widen_word(int32_t *strip, int32_t pixels, uint32_t word, int32_t count)
{
    if (count == 4) {
        strip[0] = (int32_t)nsk_even(word);
        strip[pixels] = (int32_t)nsk_odd(word);
        return strip + 2 * pixels;
    }
    strip[0] = (int32_t)nsk_lanes((int8_t)word, count > 1 ? (int8_t)(word >> 8) : 0);
    if (count == 3) {
        strip[pixels] = (int8_t)(word >> 16);
        return strip + 2 * pixels;
    }
    return strip + pixels;
}

/* Widen one pixel's run: `before` padded bytes, the `valid` bytes, padding again. */
static int32_t *widen_run(int32_t *strip, int32_t pixels, const int8_t *bytes, int32_t run,
                          int32_t before, int32_t valid, int8_t fill)
{
    for (int32_t k = 0; k < run; k += 4) {
        const int32_t count = run - k < 4 ? run - k : 4;
        uint32_t word = 0;
        if (count == 4 && k >= before && k + 4 <= before + valid) {
            word = nsk_load4(bytes + (k - before));
        } else {
            for (int32_t i = 0; i < count; i++) {
                const int32_t at = k + i - before;
                const int8_t byte = at >= 0 && at < valid ? bytes[at] : fill;
                word |= (uint32_t)(uint8_t)byte << (8 * i);
            }
        }
        strip = widen_word(strip, pixels, word, count);
    }
    return strip;
}

/* Copy rows of the image, or padding, into the ring until `rows` went in. */
static void load_rows(source *s, int32_t rows)
{
    const nsk_conv2d_packed *p = s->p;
    const int32_t bytes = p->in_w * p->in_c, before = p->pad_left * p->in_c;
    for (; s->loaded < rows; s->loaded++) {
        const int32_t row = s->loaded - p->pad_top;
        if (row < 0 || row >= p->in_h) {
            memset(s->next, p->input_zero, (size_t)p->line);
        } else {
            memset(s->next, p->input_zero, (size_t)before);
            copy_row(p, s->x, row, s->next + before);
            memset(s->next + before + bytes, p->input_zero, (size_t)(p->line - before - bytes));
        }
        s->next += p->line;
        s->next = s->next == s->end ? s->ring : s->next;
    }
}

#ifdef NSK_TAPS_APART
/* The same for windows whose taps lie apart along a row: four.at are their starts. */
static void widen_taps(const source *s, windows *four, int32_t pixels);
#endif

static void widen_ring(source *s, int32_t *strip, int32_t pixels)
{
    const nsk_conv2d_packed *p = s->p;
    const int32_t step = p->stride_w * p->in_c, down = p->dilation_h * p->line;
    const int32_t size = (int32_t)(s->end - s->ring);
    windows four = {{0, 0, 0, 0},  strip,  p->run >> 2, p->run & 3,
                    down - p->run, s->end, size,        p->kernel_h};
    int32_t row = s->row;
    for (int32_t t = 0; t < pixels; t++) {
        four.at[t] = s->top + s->column * step;
        row = s->row;
        if (++s->column == p->out_w) {
            s->column = 0;
            s->row++;
            s->top += p->stride_h * p->line;
            s->top -= s->top >= s->end ? size : 0;
        }
    }
    load_rows(s, row * p->stride_h + (p->kernel_h - 1) * p->dilation_h + 1);
#ifdef NSK_TAPS_APART
    if (p->run < p->kernel_w * p->in_c) {
        widen_taps(s, &four, pixels);
        return;
    }
#endif
    if (pixels == 4) {
        widen4(&four);
        return;
    }
    for (int32_t u = 0; u < p->kernel_h; u++) {
        strip = widen_run(strip, 1, four.at[0], p->run, 0, p->run, 0);
        four.at[0] += down;
        four.at[0] -= four.at[0] >= s->end ? size : 0;
    }
}

#endif
