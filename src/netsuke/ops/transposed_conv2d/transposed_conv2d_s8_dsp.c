/* Transposed convolution, int8, for Armv7E-M DSP; plain C elsewhere. See transposed_conv2d.h.
 *
 * Each output pixel gathers the input pixels that paint onto it, four output channels at a time.
 *
 * weights: four channels a-d of a group are four biases; the four right shifts, one a byte; four
 *          multipliers; then for each tap and every four elements of its depth the words a0 b0 a2
 *          b2, a1 b1 a3 b3, c0 d0 c2 d2, c1 d1 c3 d3. Channels and elements that are missing are
 *          zeros.
 */
#include "nsk_dsp.h"
#include "nsk_fixed.h"
#include "painting_taps.h"
#include "transposed_conv2d.h"

enum { HEAD = 9, FOUR = 4 };

/* Sums of four channels over one pixel. */
static NSK_NOINLINE void dot(const int8_t *x, const int32_t *w, int32_t depth, int32_t zero,
                             int32_t *sums)
{
    const uint32_t zeros = nsk_lanes(zero, zero);
    int32_t a = sums[0], b = sums[1], c = sums[2], d = sums[3];
    for (; depth > 0; depth -= 4, x += 4, w += 4) {
        uint32_t word;
        if (depth >= 4) {
            word = nsk_load4(x);
        } else {
            word = (uint8_t)x[0];
            word |= depth > 1 ? (uint32_t)(uint8_t)x[1] << 8 : 0;
            word |= depth > 2 ? (uint32_t)(uint8_t)x[2] << 16 : 0;
        }
        const uint32_t even = nsk_sub16(nsk_even(word), zeros);
        const uint32_t odd = nsk_sub16(nsk_odd(word), zeros);
        a = nsk_dual(even, nsk_even((uint32_t)w[0]), a);
        b = nsk_dual(even, nsk_odd((uint32_t)w[0]), b);
        a = nsk_dual(odd, nsk_even((uint32_t)w[1]), a);
        b = nsk_dual(odd, nsk_odd((uint32_t)w[1]), b);
        c = nsk_dual(even, nsk_even((uint32_t)w[2]), c);
        d = nsk_dual(even, nsk_odd((uint32_t)w[2]), d);
        c = nsk_dual(odd, nsk_even((uint32_t)w[3]), c);
        d = nsk_dual(odd, nsk_odd((uint32_t)w[3]), d);
    }
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}

/* Four channels of one pixel. */
static void gather(const nsk_transposed_conv2d_packed *p, const taps *h, const taps *v,
                   const int8_t *x, const int32_t *w, int32_t *sums)
{
    const int32_t pixel = p->depth * p->groups, size = 4 * ((p->depth + 3) / 4);
    int32_t row = h->place;
    for (int32_t i = h->first; i < h->kernel && row >= 0; i += h->step, row -= h->back) {
        int32_t column = v->place;
        for (int32_t j = v->first; row < h->size && j < v->kernel && column >= 0;
             j += v->step, column -= v->back) {
            if (column < v->size) {
                dot(x + (row * p->in_w + column) * pixel, w + (i * p->kernel_w + j) * size,
                    p->depth, p->input_zero, sums);
            }
        }
    }
}

/* All channels of one pixel. */
static void paint(const nsk_transposed_conv2d_packed *p, const taps *h, const taps *v,
                  const int8_t *x, const int32_t *w, int8_t *y)
{
    const int32_t size = HEAD + 4 * ((p->depth + 3) / 4) * p->kernel_h * p->kernel_w;
    for (int32_t group = 0; group < p->groups; group++, x += p->depth) {
        for (int32_t k = 0; k < p->units; k += FOUR, w += size) {
            int32_t sums[FOUR] = {w[0], w[1], w[2], w[3]};
            gather(p, h, v, x, w + HEAD, sums);
            uint32_t shifts = (uint32_t)w[4];
            for (int32_t u = 0; u < FOUR && k + u < p->units; u++, shifts >>= 8) {
                const int32_t right = (int32_t)(shifts & 255);
                const int32_t round = nsk_round_term(p->output_zero, right);
                *y++ = nsk_saturate8(nsk_high_plus(2 * sums[u], w[5 + u], round) >> right);
            }
        }
    }
}

void nsk_transposed_conv2d_s8_dsp(const nsk_transposed_conv2d_packed *p, const int8_t *x,
                                  const int32_t *w, int8_t *y)
{
    const int32_t out_c = p->units * p->groups;
    for (int32_t i = 0; i < p->out_h; i++) {
        const taps h =
            taps_at(i + p->crop_top, p->kernel_h, p->stride_h, p->dilation_h, p->step_h, p->in_h);
        for (int32_t j = 0; j < p->out_w; j++) {
            const taps v = taps_at(j + p->crop_left, p->kernel_w, p->stride_w, p->dilation_w,
                                   p->step_w, p->in_w);
            paint(p, &h, &v, x, w, y + (i * p->out_w + j) * out_c);
        }
    }
    if (p->low > -128 || p->high < 127) {
        for (int32_t i = 0; i < p->out_h * p->out_w * out_c; i++) {
            y[i] = (int8_t)nsk_clamp(y[i], p->low, p->high);
        }
    }
}
