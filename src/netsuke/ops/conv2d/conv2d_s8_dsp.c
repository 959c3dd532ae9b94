/* Two-dimensional convolution, int8, for Armv7E-M DSP; plain C elsewhere. See conv2d.h.
 *
 * Four output pixels at a time: their windows are widened to int16 into the strip, then every
 * couple of output channels runs over the strip, see conv2d_strip.h. A window is runs of `run`
 * bytes that are contiguous in the image; a run makes pairs (0,2) (1,3) (4,6) (5,7) ... and, of
 * its last run % 4 bytes, (0,1) (2,-).
 *
 * Windows come from one of three places:
 *   flat    a window is one pixel, and the same pixel as the output; y may start at x: when an
 *           output pixel is longer than an input pixel, the last pixels come first;
 *   ring    the padded rows that the strip sees, copied behind the strip, so that no window crosses
 *           a border and y may start at x;
 *   direct  the image, where nothing is to spare for a ring; windows at the border take longer.
 */
#include "conv2d_ring.h"

static void copy_row(const nsk_conv2d_packed *p, const int8_t *x, int32_t row, int8_t *to)
{
    const int32_t bytes = p->in_w * p->in_c;
    nsk_copy(to, x + row * bytes, bytes);
}

static void widen_flat(const int8_t *x, int32_t bytes, int32_t *strip, int32_t pixels)
{
    const windows four = {
        {x, x + bytes, x + 2 * bytes, x + 3 * bytes}, strip, bytes >> 2, bytes & 3, 0, x, 0, 1};
    if (pixels == 4) {
        widen4(&four);
    } else {
        widen_run(strip, 1, x, bytes, 0, bytes, 0);
    }
}

static void widen_direct(source *s, int32_t *strip, int32_t pixels)
{
    const nsk_conv2d_packed *p = s->p;
    const int32_t taps = p->run / p->in_c;
    for (int32_t t = 0; t < pixels; t++) {
        int32_t *to = strip + t;
        for (int32_t u = 0; u < p->kernel_h; u++) {
            const int32_t row = s->row * p->stride_h - p->pad_top + u * p->dilation_h;
            for (int32_t v = 0; v < p->kernel_w; v += taps) {
                const int32_t column = s->column * p->stride_w - p->pad_left + v * p->dilation_w;
                int32_t before = column < 0 ? -column : 0;
                int32_t after = column + taps > p->in_w ? column + taps - p->in_w : 0;
                before = before < taps ? before : taps;
                after = after < taps - before ? after : taps - before;
                const int32_t inside = row >= 0 && row < p->in_h && before + after < taps;
                const int32_t first = inside ? (row * p->in_w + column + before) * p->in_c : 0;
                const int32_t valid = inside ? (taps - before - after) * p->in_c : 0;
                to = widen_run(to, pixels, s->x + first, p->run, before * p->in_c, valid,
                               (int8_t)p->input_zero);
            }
        }
        if (++s->column == p->out_w) {
            s->column = 0;
            s->row++;
        }
    }
}

static void clamp(int8_t *y, int32_t count, int32_t low, int32_t high)
{
    for (int32_t i = 0; i < count; i++) {
        y[i] = (int8_t)(y[i] < low ? low : y[i] > high ? high : y[i]);
    }
}

void nsk_conv2d_s8_dsp(const nsk_conv2d_packed *p, const int8_t *x, const int32_t *w, int8_t *y,
                       void *scratch)
{
    const int32_t total = p->out_h * p->out_w;
    const int32_t backward = p->flat && p->out_c > p->in_c;
    int32_t *strip = scratch;
    int8_t *ring = (int8_t *)(strip + 4 * p->pairs);
    source s = {p, x, ring, ring + p->ring * p->line, ring, 0, ring, 0, 0};
    product task = {w, strip, y, p->out_c, y, p->pairs, 2 * p->output_zero + 1};
    int32_t pixel = backward ? total : 0;
    for (int32_t left = total, count; left > 0; left -= count) {
        count = left < 4 || (backward && (left & 3)) ? 1 : 4;
        pixel -= backward ? count : 0;
        task.y = y + pixel * p->out_c;
        if (p->flat) {
            widen_flat(x + pixel * p->in_c, p->in_c, strip, count);
        } else if (p->ring > 0) {
            widen_ring(&s, strip, count);
        } else {
            widen_direct(&s, strip, count);
        }
        pixel += backward ? 0 : count;
        task.end = task.y + (p->out_c & ~1);
        multiply(&task, count, p->out_c);
    }
    if (p->low > -128 || p->high < 127) {
        clamp(y, total * p->out_c, p->low, p->high);
    }
}

/* For windows of at most 32 bytes and no ring: the strip lies on the stack, nothing is asked of
 * the arena. */
void nsk_conv2d_s8_dsp_small(const nsk_conv2d_packed *p, const int8_t *x, const int32_t *w,
                             int8_t *y)
{
    int32_t strip[4 * 16];
    nsk_conv2d_s8_dsp(p, x, w, y, strip);
}
