/* The depthwise convolution of nsk_depthwise_conv2d_wide on wide vectors; the vectors' header comes
 * before, see nsk_wide.h.
 *
 * Scratch holds the padded input rows of `band` output rows. Taps beyond the last have weight 0.
 */
#ifndef NSK_DEPTHWISE_WIDE_H
#define NSK_DEPTHWISE_WIDE_H

#include "depthwise_conv2d.h"
#include "nsk_bands.h"

static inline void nsk_depthwise_row(const nsk_depthwise_conv2d_wide *p, const nsk_cell *x,
                                     const int8_t *w, int8_t *y)
{
    const nsk_limits limits = {p->low, p->high, p->output_zero};
    const int32_t *scales = p->scales;
    for (int32_t c = 0; c < p->channels; c += NSK_CHANNELS) {
        for (int32_t j = 0; j < p->pixels; j++) {
            nsk_channels(y + j * p->channels + c, p->channels - c, x + j * p->step + c, p->offsets,
                         p->groups, w, scales, &limits);
        }
        w += p->groups * NSK_TAPS * NSK_CHANNELS;
        scales += NSK_CHANNELS / NSK_LANES * NSK_SCALES;
    }
}

static inline void nsk_depthwise_bands(const nsk_depthwise_conv2d_wide *p, const int8_t *x,
                                       const int8_t *w, int8_t *y, nsk_cell *scratch)
{
    const nsk_band band = {p->in_h, p->bytes, p->before, p->line, p->input_zero};
    for (int32_t row = 0, rows; row < p->out_h; row += rows) {
        rows = p->out_h - row < p->band ? p->out_h - row : p->band;
        nsk_load_band(scratch, x, &band, row * p->stride_h - p->pad_top,
                      (rows - 1) * p->stride_h + p->reach);
        for (int32_t i = 0; i < rows; i++) {
            nsk_depthwise_row(p, scratch + i * p->stride_h * p->line, w,
                              y + (row + i) * p->pixels * p->channels);
        }
    }
}

#endif
