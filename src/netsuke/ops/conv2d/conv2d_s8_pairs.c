/* Two-dimensional convolution, int8, portable C99, for 32-bit cores without SIMD. See conv2d.h and
 * nsk_pairs.h.
 *
 * Four output pixels at a time, one after the other through all rows: their windows are packed
 * into the strip, two pixels in a word, padding included.
 *
 * y may start at x where a window is one pixel and the same pixel as the output: when an output
 * pixel is longer than an input pixel, the last pixels come first. Else y may start at x when there
 * is a ring: input rows that y is about to overwrite are saved in it, as many as windows still see.
 */
#include "conv2d.h"
#include "nsk_pairs_four.h"

#include <string.h>

typedef struct {
    const nsk_conv2d_pairs *p;
    const int8_t *x;
    int8_t *ring;
    int32_t saved; /* rows that are in the ring, or have been */
} source;

/* Pack bytes of two pixels; a step is 0 where a pixel is padding. */
static void pack(int32_t *to, const int8_t *a, int32_t step_a, const int8_t *b, int32_t step_b,
                 int32_t count)
{
    for (; count > 0; count--, a += step_a, b += step_b, to += 2) {
        to[0] = *a + *b * (1 << 16);
    }
}

/* The same with steps of 1. */
#if defined(__GNUC__) && (defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__))

/* 26 instructions for four bytes of each: r1 and r2 their ends, r3 minus the bytes that are left. */
static NSK_NOINLINE void pack_run(int32_t *to, const int8_t *a, const int8_t *b, int32_t count)
{
    register int32_t *r0 __asm__("r0") = to;
    register const int8_t *r1 __asm__("r1") = a + count;
    register const int8_t *r2 __asm__("r2") = b + count;
    register int32_t r3 __asm__("r3") = -count;
    __asm__ volatile(".syntax unified\n"
                     ".macro nsk_pack place\n"
                     "ldrsb r4, [r1, r3]\n ldrsb r5, [r2, r3]\n lsls r5, r5, #16\n"
                     "adds r4, r4, r5\n str r4, [r0, #\\place]\n adds r3, r3, #1\n"
                     ".endm\n"
                     "push {r4, r5}\n"
                     "b 2f\n"
                     "1:\n"
                     "nsk_pack 0\n adds r0, #8\n"
                     "2:\n"
                     "lsls r4, r3, #30\n bne 1b\n"
                     "cmp r3, #0\n beq 4f\n"
                     "3:\n"
                     "nsk_pack 0\n nsk_pack 8\n nsk_pack 16\n nsk_pack 24\n"
                     "adds r0, #32\n cmp r3, #0\n bne 3b\n"
                     "4:\n"
                     ".purgem nsk_pack\n"
                     "pop {r4, r5}\n"
                     : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
                     :
                     : "cc", "memory");
}

#else

static NSK_NOINLINE void pack_run(int32_t *to, const int8_t *a, const int8_t *b, int32_t count)
{
    for (; count >= 4; count -= 4, a += 4, b += 4, to += 8) {
        to[0] = a[0] + b[0] * (1 << 16);
        to[2] = a[1] + b[1] * (1 << 16);
        to[4] = a[2] + b[2] * (1 << 16);
        to[6] = a[3] + b[3] * (1 << 16);
    }
    pack(to, a, 1, b, 1, count);
}

#endif

/* A row of the image, or NULL where it is padding. */
static const int8_t *row_at(const source *s, int32_t row)
{
    const nsk_conv2d_pairs *p = s->p;
    const int32_t bytes = p->in_w * p->in_c;
    if (row < 0 || row >= p->in_h) {
        return 0;
    }
    return row < s->saved ? s->ring + row % p->ring * bytes : s->x + row * bytes;
}

/* Pack the windows of two output pixels, (i, j) and (k, l), tap by tap. */
static void windows(const source *s, const int32_t *places, int32_t *to)
{
    const nsk_conv2d_pairs *p = s->p;
    const int8_t fill = (int8_t)p->input_zero;
    const int32_t first = places[1] * p->stride_w - p->pad_left;
    const int32_t second = places[3] * p->stride_w - p->pad_left;
    const int32_t last = p->in_w - p->kernel_w;
    const int32_t whole =
        p->dilation_w == 1 && first >= 0 && first <= last && second >= 0 && second <= last;
    for (int32_t u = 0; u < p->kernel_h; u++) {
        const int32_t down = u * p->dilation_h - p->pad_top;
        const int8_t *a = row_at(s, places[0] * p->stride_h + down);
        const int8_t *b = row_at(s, places[2] * p->stride_h + down);
        if (whole && a && b) {
            pack_run(to, a + first * p->in_c, b + second * p->in_c, p->kernel_w * p->in_c);
            to += 2 * p->kernel_w * p->in_c;
            continue;
        }
        for (int32_t v = 0; v < p->kernel_w; v++, to += 2 * p->in_c) {
            const int32_t j = first + v * p->dilation_w, l = second + v * p->dilation_w;
            const int32_t in_a = a && j >= 0 && j < p->in_w;
            const int32_t in_b = b && l >= 0 && l < p->in_w;
            pack(to, in_a ? a + j * p->in_c : &fill, in_a, in_b ? b + l * p->in_c : &fill, in_b,
                 p->in_c);
        }
    }
}

/* Save the rows that the outputs up to a byte of y are about to overwrite. */
static void save(source *s, int32_t end)
{
    const nsk_conv2d_pairs *p = s->p;
    const int32_t bytes = p->in_w * p->in_c;
    for (; p->ring > 0 && s->saved < p->in_h && s->saved * bytes < end; s->saved++) {
        memcpy(s->ring + s->saved % p->ring * bytes, s->x + s->saved * bytes, (size_t)bytes);
    }
}

void nsk_conv2d_s8_pairs(const nsk_conv2d_pairs *p, const int8_t *x, const int32_t *w, int8_t *y,
                         void *scratch)
{
    int32_t *strip = (int32_t *)scratch;
    source s = {p, x, (int8_t *)(strip + 2 * p->depth), 0};
    int32_t row = 0, column = 0;
    const int32_t total = p->out_h * p->out_w;
    for (int32_t n = 0; n < total; n += 4) {
        const int32_t pixels = total - n < 4 ? total - n : 4;
        const nsk_pairs task = {strip, w, y + n * p->out_c, p->out_c, p->out_c, p->depth};
        int32_t places[8];
        for (int32_t t = 0; t < 8; t += 2) {
            places[t] = row;
            places[t + 1] = column;
            if (t / 2 + 1 < pixels && ++column == p->out_w) {
                column = 0;
                row++;
            }
        }
        if (++column == p->out_w) {
            column = 0;
            row++;
        }
        windows(&s, places, strip);
        windows(&s, places + 4, strip + 1);
        save(&s, (n + pixels) * p->out_c);
        nsk_pairs_run(&task, pixels);
    }
}

void nsk_conv2d_s8_pairs_flat(const nsk_conv2d_pairs *p, const int8_t *x, const int32_t *w,
                              int8_t *y, void *scratch)
{
    const int32_t total = p->out_h * p->out_w, backward = p->out_c > p->in_c;
    int32_t *strip = (int32_t *)scratch;
    for (int32_t done = 0; done < total; done += 4) {
        const int32_t pixels = total - done < 4 ? total - done : 4;
        const int32_t n = backward ? total - done - pixels : done;
        const int8_t *from = x + n * p->in_c;
        const nsk_pairs task = {strip, w, y + n * p->out_c, p->out_c, p->out_c, p->depth};
        const int32_t last = (pixels - 1) * p->in_c; /* stands for pixels that are missing */
        const int32_t second = last < p->in_c ? last : p->in_c;
        const int32_t third = last < 2 * p->in_c ? last : 2 * p->in_c;
        pack_run(strip, from, from + second, p->in_c);
        pack_run(strip + 1, from + third, from + last, p->in_c);
        nsk_pairs_run(&task, pixels);
    }
}
