/* Depthwise convolution with any window, int8, for Armv7E-M DSP; plain C elsewhere.
 *
 * Each channel is copied into a padded plane of int16, so a load brings two neighbours and a SMLAD
 * multiplies both, and so y may start at x. Along a row the plane is sorted by phase: taps that lie
 * `dilation_column` apart are neighbours. Outputs j, j + classes, ... of a row see the same phase,
 * `apart` elements from one to the next, and are computed four at a time.
 *
 * Where apart is 1, two neighbouring outputs share their words: the first multiplies the words of
 * its window by (w0, w1), (w2, w3) ..., the second one by (0, w0), (w1, w2) ...; otherwise each
 * output loads its own words, at any alignment of two bytes.
 *
 * weights: of a channel twice the bias with the input zero point's share, the multiplier, the right
 *          shift, then taps_row * taps_column bytes, up to a whole word. The sums are doubled, see
 *          nsk_high_plus.
 * scratch: the doubled weights as pairs, one word a step of every row of taps (two where apart is
 *          1), then the plane, [row][phase][element].
 */
#include "depthwise_conv2d.h"
#include "depthwise_fours.h"

/* The doubled weights of a channel as pairs, see above. */
static NSK_NOINLINE void make_pairs(const nsk_depthwise_conv2d_phases *p, const int8_t *w,
                                    uint32_t *to)
{
    const int32_t taps = p->taps_column;
    for (int32_t u = 0; u < p->taps_row; u++, w += taps) {
        int32_t before = 0;
        for (int32_t v = 0; v < 2 * p->steps; v += 2) {
            const int32_t first = v < taps ? 2 * w[v] : 0;
            const int32_t second = v + 1 < taps ? 2 * w[v + 1] : 0;
            *to++ = nsk_lanes(first, second);
            if (p->apart == 1) {
                *to++ = nsk_lanes(before, first);
                before = second;
            }
        }
    }
}

static NSK_NOINLINE void fill(int16_t *plane, int32_t count, int32_t value)
{
    for (int32_t i = 0; i < count; i++) {
        plane[i] = (int16_t)value;
    }
}

/* Copy `count` pixels that lie `step` bytes apart. */
static NSK_NOINLINE void copy_pixels(const int8_t *x, int32_t step, int16_t *to, int32_t count)
{
    for (; count >= 4; count -= 4, to += 4) {
        const int8_t a = x[0], b = x[step];
        x += 2 * step;
        const int8_t c = x[0], d = x[step];
        x += 2 * step;
        to[0] = a;
        to[1] = b;
        to[2] = c;
        to[3] = d;
    }
    for (; count > 0; count--, x += step) {
        *to++ = *x;
    }
}

/* Copy so many rows of the image into rows of the plane, phase by phase. */
static void copy_rows(const nsk_depthwise_conv2d_phases *p, const int8_t *x, int16_t *to,
                      int32_t rows)
{
    const int32_t phases = p->dilation_column, down = p->in_row, line = p->plane_w;
    /* Phase and element of the first pixel; the columns that are left are shared out in turn. */
    int32_t phase = p->pad_column % phases, element = p->pad_column / phases;
    const int32_t each = p->columns / phases, more = p->columns - each * phases;
    for (int32_t n = 0; n < phases; n++, x += p->in_column) {
        const int8_t *from = x;
        int16_t *row = to + phase * p->phase_w + element;
        for (int32_t i = rows; i > 0; i--, from += down, row += line) {
            copy_pixels(from, phases * p->in_column, row, each + (n < more));
        }
        if (++phase == phases) {
            phase = 0;
            element++;
        }
    }
}

/* Fill the plane with what the outputs of rows from `first` on see of a channel. */
static void load(const nsk_depthwise_conv2d_phases *p, const int8_t *x, int16_t *plane,
                 int32_t first)
{
    const int32_t start = first * p->stride_row - p->pad_row;
    const int32_t before = start < 0 ? -start : 0, end = start + p->plane_h;
    const int32_t rows = (end < p->rows ? end : p->rows) - (start + before);
    if (p->band < p->out_rows && (before > 0 || end > p->rows)) { /* else it is as it was */
        fill(plane, p->plane_h * p->plane_w, p->input_zero);
    }
    if (rows > 0) {
        copy_rows(p, x + (start + before) * p->in_row, plane + before * p->plane_w, rows);
    }
}

/* The last one to three of a class of outputs of a row. */
static NSK_NOINLINE void make_last(nsk_fours t, int32_t count, void (*fours)(const nsk_fours *))
{
    int8_t last[4];
    int8_t *y = t.y + 4 * t.fours * t.step;
    const int32_t step = t.step;
    t.x += 4 * t.fours * (t.apart / 2);
    t.y = last;
    t.step = 1;
    t.fours = 1;
    fours(&t);
    for (int32_t i = 0; i < count; i++) {
        y[i * step] = last[i];
    }
}

/* Rows of outputs of one output channel, class by class. */
static void make_rows(const nsk_depthwise_conv2d_phases *p, nsk_fours *t, const int16_t *plane,
                      int8_t *y, int32_t rows)
{
    void (*const fours)(const nsk_fours *) = p->apart == 1 ? nsk_fours_shared : nsk_fours_apart;
    const int32_t down = p->stride_row * p->plane_w, below = p->out_row;
    for (int32_t j = 0; j < p->classes && j < p->out_columns; j++) {
        const int32_t place = j * p->stride_column, phases = p->dilation_column;
        const int32_t count = (p->out_columns - j + p->classes - 1) / p->classes;
        t->x = plane + place % phases * p->phase_w + place / phases;
        t->y = y + j * p->out_column;
        t->fours = count >> 2;
        for (int32_t i = rows; i > 0; i--, t->x += down, t->y += below) {
            if (count > 3) {
                fours(t);
            }
            if (count & 3) {
                make_last(*t, count & 3, fours);
            }
        }
    }
}

void nsk_depthwise_conv2d_s8_dsp_any(const nsk_depthwise_conv2d_phases *p, const int8_t *x,
                                     const int32_t *w, int8_t *y, void *scratch)
{
    const int32_t shared = p->apart == 1;
    const int32_t size = 3 + (p->taps_row * p->taps_column + 3) / 4; /* words of a channel */
    uint32_t *pairs = scratch;
    int16_t *plane = (int16_t *)(pairs + p->taps_row * p->steps * (1 + shared));
    nsk_fours t = {pairs,
                   plane,
                   y,
                   0,
                   p->classes * p->out_column,
                   2 * (p->dilation_row * p->plane_w - 2 * (p->steps + shared)),
                   p->taps_row,
                   p->steps,
                   0,
                   2 * p->apart,
                   0,
                   0,
                   0};
    fill(plane, p->plane_h * p->plane_w, p->input_zero);
    for (int32_t c = 0; c < p->in_c; c++, w += size * p->multiplier) {
        for (int32_t first = 0; first < p->out_rows; first += p->band) {
            const int32_t left = p->out_rows - first;
            load(p, x + c, plane, first);
            for (int32_t m = 0; m < p->multiplier; m++) {
                const int32_t *words = w + m * size;
                t.twice_bias = words[0];
                t.multiplier = words[1];
                t.right = words[2];
                t.round = nsk_round_term(p->output_zero, t.right);
                make_pairs(p, (const int8_t *)(words + 3), pairs);
                make_rows(p, &t, plane, y + first * p->out_row + c * p->multiplier + m,
                          left < p->band ? left : p->band);
            }
        }
    }
    if (p->low > -128 || p->high < 127) {
        for (int32_t i = 0; i < p->out_rows * p->out_columns * p->in_c * p->multiplier; i++) {
            y[i] = (int8_t)nsk_clamp(y[i], p->low, p->high);
        }
    }
}
