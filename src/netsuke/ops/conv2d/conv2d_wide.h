/* The convolution of nsk_conv2d_wide on wide vectors; includes come before, see nsk_wide.h.
 *
 * Scratch holds the padded input rows of `band` output rows. A window is kernel rows of runs that
 * are contiguous there; where a run is no multiple of NSK_GROUP, its last weights are 0.
 */
#ifndef NSK_CONV2D_WIDE_H
#define NSK_CONV2D_WIDE_H

#include "conv2d.h"
#include "nsk_bands.h"
#include "nsk_tiles.h"

static inline nsk_task nsk_conv2d_task(const nsk_conv2d_wide *p, const int8_t *w)
{
    const nsk_task task = {.step = p->stride_w * p->in_c,
                           .high = p->kernel_h,
                           .wide = p->wide,
                           .down = p->dilation_h * p->line,
                           .right = p->dilation_w * p->in_c,
                           .groups = p->groups,
                           .w = w,
                           .scales = p->scales,
                           .limits = {p->low, p->high, p->output_zero},
                           .next = p->out_c};
    return task;
}

static inline void nsk_conv2d_rows(const nsk_conv2d_wide *p, nsk_task *t, const nsk_cell *image,
                                   int8_t *y, int32_t rows)
{
    for (int32_t k = 0, vectors; k < p->out_c; k += vectors * NSK_LANES) {
        vectors = nsk_block(p->out_c - k);
        t->count = p->out_c - k;
        for (int32_t row = 0; row < rows; row++) {
            t->x = image + row * p->stride_h * p->line;
            t->y = y + row * p->out_w * p->out_c + k;
            nsk_run_row(t, vectors, p->out_w);
        }
        t->w += p->kernel_h * p->wide * p->groups * vectors * NSK_STEP;
        t->scales += vectors * NSK_SCALES;
    }
}

static inline void nsk_conv2d_bands(const nsk_conv2d_wide *p, const int8_t *x, const int8_t *w,
                                    int8_t *y, nsk_cell *scratch)
{
    const nsk_band band = {p->in_h, p->in_w * p->in_c, p->pad_left * p->in_c, p->line,
                           p->input_zero};
    const int32_t reach = (p->kernel_h - 1) * p->dilation_h + 1;
    for (int32_t row = 0, rows; row < p->out_h; row += rows) {
        rows = p->out_h - row < p->band ? p->out_h - row : p->band;
        nsk_load_band(scratch, x, &band, row * p->stride_h - p->pad_top,
                      (rows - 1) * p->stride_h + reach);
        nsk_task task = nsk_conv2d_task(p, w);
        nsk_conv2d_rows(p, &task, scratch, y + row * p->out_w * p->out_c, rows);
    }
}

#endif
