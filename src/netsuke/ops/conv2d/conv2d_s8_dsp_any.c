/* Convolution of several groups or with taps that lie apart, int8, for Armv7E-M DSP; plain C
 * elsewhere. See conv2d.h.
 *
 * One group after the other, each as conv2d_s8_dsp.c does it with a ring: the rows that are copied
 * hold the group's channels only, so that a window's row is contiguous there, or with a dilation
 * along the row each of its taps.
 *
 * weights: couples of channels as in conv2d_strip.h, group after group; in_c and out_c are those of
 *          one group.
 */
#define NSK_TAPS_APART
#include "conv2d_ring.h"
#include "nsk_fixed.h"

static void copy_row(const nsk_conv2d_packed *p, const int8_t *x, int32_t row, int8_t *to)
{
    const int32_t depth = p->in_c, pixel = depth * p->groups;
    const int8_t *from = x + row * p->in_w * pixel;
    for (int32_t j = 0; j < p->in_w; j++, from += pixel, to += depth) {
        int32_t c = 0;
        for (; c + 4 <= depth; c += 4) {
            memcpy(to + c, from + c, 4); /* a load and a store */
        }
        for (; c < depth; c++) {
            to[c] = from[c];
        }
    }
}

static void widen_taps(const source *s, windows *four, int32_t pixels)
{
    const nsk_conv2d_packed *p = s->p;
    const int32_t apart = p->dilation_w * p->in_c, run = p->run;
    const int32_t words = p->kernel_w * (2 * (run >> 2) + ((run & 3) + 1) / 2); /* of a row */
    const int32_t down = p->dilation_h * p->line;
    four->move = apart - run;
    four->rows = p->kernel_w;
    for (int32_t u = 0; u < p->kernel_h; u++) {
        if (pixels == 4) {
            widen4(four);
        } else {
            int32_t *to = four->strip;
            for (int32_t v = 0; v < p->kernel_w; v++) {
                to = widen_run(to, 1, four->at[0] + v * apart, run, 0, run, 0);
            }
        }
        four->strip += pixels * words;
        for (int32_t t = 0; t < pixels; t++) {
            four->at[t] += down;
            four->at[t] -= four->at[t] >= s->end ? four->size : 0;
        }
    }
}

void nsk_conv2d_s8_dsp_any(const nsk_conv2d_packed *p, const int8_t *x, const int32_t *w, int8_t *y,
                           void *scratch)
{
    const int32_t total = p->out_h * p->out_w, stride = p->out_c * p->groups;
    const int32_t size = (p->out_c + 1) / 2 * (p->pairs + 5); /* words of a group */
    int32_t *strip = scratch;
    int8_t *ring = (int8_t *)(strip + 4 * p->pairs);
    for (int32_t group = 0; group < p->groups; group++) {
        source s = {p, x + group * p->in_c, ring, ring + p->ring * p->line, ring, 0, ring, 0, 0};
        int8_t *out = y + group * p->out_c;
        product task = {w + group * size,      strip, out, stride, out, p->pairs,
                        2 * p->output_zero + 1};
        for (int32_t pixel = 0, count; pixel < total; pixel += count) {
            count = total - pixel < 4 ? 1 : 4;
            task.y = out + pixel * stride;
            task.end = task.y + (p->out_c & ~1);
            widen_ring(&s, strip, count);
            multiply(&task, count, p->out_c);
        }
    }
    if (p->low > -128 || p->high < 127) {
        for (int32_t i = 0; i < total * stride; i++) {
            y[i] = (int8_t)nsk_clamp(y[i], p->low, p->high);
        }
    }
}
