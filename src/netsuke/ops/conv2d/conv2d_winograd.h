/* Exact integer Winograd convolution, 3 x 3, stride 1: what both tile sizes share.
 *
 * The file that includes this one defines NSK_TILE (outputs of a tile along an axis) and then the
 * transforms `forward_even`, `forward_odd` and `inverse` that are declared here. A tile sees
 * EDGE x EDGE pixels. With V = B'dB of its pixels and U = G g G' of the filter (both int16, G scaled
 * to integers) the tile is A'(sum over channels of U * V)A divided by a known factor. All sums are
 * taken modulo 2^32; the model's compiler has proved that the result before the division lies
 * within int32, so that it is exact whatever happens on the way.
 *
 * scratch: V, word [pair of channels][point][tile of four]; M, the products of a couple of output
 *          channels, word [point][channel][tile]; then the padded rows of the image that a band of
 *          tiles sees. All rows of a band are copied before its first output is written, so y may
 *          start at x where later bands need no row that is written over.
 * weights: a couple (a, b) of channels is twice the bias a, twice the bias b (with the input zero
 *          point's share), right shift a | right shift b << 8, multiplier a, multiplier b; then for
 *          every point and pair of channels the lanes of a and those of b.
 */
#ifndef NSK_CONV2D_WINOGRAD_H
#define NSK_CONV2D_WINOGRAD_H

#include "conv2d.h"
#include "nsk_dsp.h"
#include "nsk_fixed.h"

#define EDGE (NSK_TILE + 2)
#define POINTS (EDGE * EDGE)
#define STEP (4 * POINTS) /* words of V from one pair to the next */
#define HEAD 5            /* words of a couple before its weights */

/* How sums of a channel become int8. */
typedef struct {
    int32_t twice_bias, multiplier, right, round;
} finish;

/* V of the even or odd bytes of a word of four channels: `at` is the tile's first pixel. */
static void forward_even(const int8_t *at, int32_t line, int32_t pixel, uint32_t *v);
static void forward_odd(const int8_t *at, int32_t line, int32_t pixel, uint32_t *v);

/* The outputs of one tile and channel, `line` bytes from row to row. */
static void inverse(const int32_t *m, const finish *f, int8_t *y, int32_t line, int32_t pixel);

#define TEXT2(x) #x
#define TEXT(x) TEXT2(x)

#ifdef NSK_DSP

/* 11 instructions for 16 multiply-accumulates. r0 weights, r1 V, r4-r7 sums of a, r8-r11 of b. The
 * chain of 16 such bodies is entered so that it ends with the last pair. */
static __attribute__((noinline)) void multiply_points(const int32_t *weights, const int32_t *v,
                                                      int32_t *m, int32_t pairs)
{
    register const int32_t *r0 __asm__("r0") = weights;
    register const int32_t *r1 __asm__("r1") = v;
    register int32_t *r2 __asm__("r2") = m;
    register int32_t r3 __asm__("r3") = pairs;
    __asm__ volatile(
        ".syntax unified\n"
        ".balign 4\n"
        "push {r4-r11}\n"
        "movw r12, #" TEXT(
            POINTS) " * 16\n"
                    "mla r12, r3, r12, r1\n" /* where the pairs of a point end */
                    "sub r3, r3, #1\n and r3, r3, #15\n"
                    "mov r9, #44\n" /* bytes of a body */
                    "mul r3, r3, r9\n adr r9, 3f\n sub r9, r9, r3\n"
                    "orr r9, r9, #1\n" /* entry into the chain, Thumb */
                    "add r8, r2, #" TEXT(
                        POINTS) " * 32\n"
                                "push {r1, r2, r8, r9, r12}\n"
                                "1:\n"
                                "ldrd r2, r3, [r0], #8\n ldrd r12, lr, [r1, #8]\n"
                                "smuad r6, r12, r2\n smuad r10, r12, r3\n smuad r7, lr, r2\n smuad "
                                "r11, lr, r3\n"
                                "ldrd r12, lr, [r1], #" TEXT(
                                    POINTS) " * 16\n"
                                            "smuad r4, r12, r2\n smuad r8, r12, r3\n smuad r5, lr, "
                                            "r2\n smuad r9, lr, r3\n"
                                            "ldr pc, [sp, #12]\n"
                                            ".balign 4\n"
                                            "2:\n"
                                            ".rept 16\n"
                                            "ldrd r2, r3, [r0], #8\n ldrd r12, lr, [r1, #8]\n"
                                            "smlad r6, r12, r2, r6\n smlad r10, r12, r3, r10\n"
                                            "smlad r7, lr, r2, r7\n smlad r11, lr, r3, r11\n"
                                            "ldrd r12, lr, [r1], #" TEXT(
                                                POINTS) " * 16\n"
                                                        "smlad r4, r12, r2, r4\n smlad r8, r12, "
                                                        "r3, r8\n"
                                                        "smlad r5, lr, r2, r5\n smlad r9, lr, r3, "
                                                        "r9\n"
                                                        ".endr\n"
                                                        "3:\n"
                                                        "ldr r2, [sp, #16]\n cmp r1, r2\n bne.w "
                                                        "2b\n"
                                                        "add r12, r2, #16\n ldrd r1, r3, [sp]\n "
                                                        "add r1, r1, #16\n"
                                                        "stm r3!, {r4-r11}\n"
                                                        "str r12, [sp, #16]\n strd r1, r3, [sp]\n "
                                                        "ldr r2, [sp, #8]\n cmp r3, r2\n bne.w 1b\n"
                                                        "add sp, sp, #20\n pop {r4-r11}\n"
        : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
        :
        : "r12", "lr", "cc", "memory");
}

#else

/* a.b + sum modulo 2^32. */
static uint32_t wrapping_dual(uint32_t a, uint32_t b, uint32_t sum)
{
    return sum + (uint32_t)(nsk_low(a) * nsk_low(b)) + (uint32_t)(nsk_top(a) * nsk_top(b));
}

static void multiply_points(const int32_t *weights, const int32_t *v, int32_t *m, int32_t pairs)
{
    for (int32_t point = 0; point < POINTS; point++, m += 8) {
        uint32_t sums[8] = {0};
        for (int32_t q = 0; q < pairs; q++, weights += 2) {
            for (int32_t t = 0; t < 4; t++) {
                const uint32_t lanes = (uint32_t)v[q * STEP + 4 * point + t];
                sums[t] = wrapping_dual(lanes, (uint32_t)weights[0], sums[t]);
                sums[4 + t] = wrapping_dual(lanes, (uint32_t)weights[1], sums[4 + t]);
            }
        }
        for (int32_t i = 0; i < 8; i++) {
            m[i] = (int32_t)sums[i];
        }
    }
}

#endif

/* Twice a channel's sum without bias becomes an output. */
static inline int8_t finished(const finish *f, int32_t twice)
{
    const int32_t sum = twice + f->twice_bias;
    return nsk_saturate8(nsk_high_plus(sum, f->multiplier, f->round) >> f->right);
}

/* V of all channels of one tile. */
static void transform(const nsk_conv2d_winograd *p, const int8_t *at, int32_t *v)
{
    const int32_t whole = p->in_c & ~3, rest = p->in_c & 3;
    uint32_t *to = (uint32_t *)v;
    for (int32_t c = 0; c < whole; c += 4, to += 2 * STEP) {
        forward_even(at + c, p->line, p->in_c, to);
        forward_odd(at + c, p->line, p->in_c, to + STEP);
    }
    if (rest > 0) {
        /* The last channels as words, the first two of them at the even bytes. */
        int8_t words[4 * POINTS];
        for (int32_t i = 0; i < POINTS; i++) {
            const int8_t *from = at + i / EDGE * p->line + i % EDGE * p->in_c + whole;
            words[4 * i] = from[0];
            words[4 * i + 1] = 0;
            words[4 * i + 2] = 0;
            words[4 * i + 3] = 0;
            if (rest > 1) {
                words[4 * i + 2] = from[1];
            }
            if (rest > 2) {
                words[4 * i + 1] = from[2];
            }
        }
        forward_even(words, 4 * EDGE, 4, to);
        if (rest > 2) {
            forward_odd(words, 4 * EDGE, 4, to + STEP);
        }
    }
}

/* One tile of outputs: its first one, whether all of them exist, and how many rows and columns. */
typedef struct {
    int8_t *y;
    int32_t whole, rows, columns;
} tile;

/* Outputs of one channel of a tile at the lower or right border: those that exist. */
static NSK_NOINLINE void inverse_part(const nsk_conv2d_winograd *p, const int32_t *m,
                                      const finish *f, const tile *t, int32_t k)
{
    int8_t whole[NSK_TILE * NSK_TILE];
    inverse(m, f, whole, NSK_TILE, 1);
    for (int32_t i = 0; i < NSK_TILE && i < t->rows; i++) {
        for (int32_t j = 0; j < NSK_TILE && j < t->columns; j++) {
            t->y[(i * p->out_w + j) * p->out_c + k] = whole[i * NSK_TILE + j];
        }
    }
}

/* Rows of the padded image from `first` on, so many. */
static void load(const nsk_conv2d_winograd *p, const int8_t *x, int32_t first, int32_t count,
                 int8_t *to)
{
    const int32_t before = p->pad_left * p->in_c, bytes = p->in_w * p->in_c;
    /* What of an image row a tile sees: padding may be wider than all that is seen. */
    const int32_t start = before < p->line ? before : p->line;
    const int32_t seen = bytes < p->line - start ? bytes : p->line - start;
    for (int32_t row = first - p->pad_top; count > 0; count--, row++, to += p->line) {
        if (row < 0 || row >= p->in_h) {
            memset(to, p->input_zero, (size_t)p->line);
        } else {
            memset(to, p->input_zero, (size_t)start);
            nsk_copy(to + start, x + row * bytes, seen);
            memset(to + start + seen, p->input_zero, (size_t)(p->line - start - seen));
        }
    }
}

/* Outputs of one channel of up to four tiles. */
static void one_channel(const nsk_conv2d_winograd *p, const int32_t *m, const finish *f,
                        const tile *tiles, int32_t count, int32_t k)
{
    const int32_t pixel = p->out_c, line = p->out_w * pixel;
    for (const tile *at = tiles; at != tiles + count; at++, m++) {
        if (at->whole) {
            inverse(m, f, at->y + k, line, pixel);
        } else {
            inverse_part(p, m, f, at, k);
        }
    }
}

/* Outputs of up to four tiles. */
static void four_outputs(const nsk_conv2d_winograd *p, const int32_t *w, const int32_t *v,
                         int32_t *m, const tile *tiles, int32_t count)
{
    for (int32_t k = 0; k < p->out_c; k += 2, w += HEAD + 2 * POINTS * p->pairs) {
        multiply_points(w + HEAD, v, m, p->pairs);
        for (int32_t i = 0; i < 2 && k + i < p->out_c; i++) {
            const int32_t right = (w[2] >> (8 * i)) & 255;
            const finish f = {w[i], w[3 + i], right, nsk_round_term(p->output_zero, right)};
            one_channel(p, m + 4 * i, &f, tiles, count, k + i);
        }
    }
}

/* Up to four tiles: the first is number `first` of the band that starts at output row `top`. */
static void four_tiles(const nsk_conv2d_winograd *p, const int8_t *rows, const int32_t *w,
                       int8_t *y, int32_t *v, int32_t top, int32_t first, int32_t count)
{
    tile tiles[4];
    for (int32_t t = 0; t < count; t++) {
        const int32_t down = (first + t) / p->columns * NSK_TILE;
        const int32_t column = (first + t) % p->columns * NSK_TILE;
        const int32_t rows_left = p->out_h - top - down, columns_left = p->out_w - column;
        tiles[t].y = y + ((top + down) * p->out_w + column) * p->out_c;
        tiles[t].whole = rows_left >= NSK_TILE && columns_left >= NSK_TILE;
        tiles[t].rows = rows_left;
        tiles[t].columns = columns_left;
        transform(p, rows + down * p->line + column * p->in_c, v + t);
    }
    four_outputs(p, w, v, v + p->pairs * STEP, tiles, count);
}

static void convolve(const nsk_conv2d_winograd *p, const int8_t *x, const int32_t *w, int8_t *y,
                     int32_t *v)
{
    int8_t *rows = (int8_t *)(v + p->pairs * STEP + 8 * POINTS);
    const int32_t height = p->band * NSK_TILE; /* of a band's outputs */
    for (int32_t top = 0; top < p->out_h; top += height) {
        const int32_t left = p->out_h - top < height ? p->out_h - top : height;
        const int32_t tiles = (left + NSK_TILE - 1) / NSK_TILE * p->columns;
        if (top == 0) {
            load(p, x, 0, height + 2, rows);
        } else {
            memcpy(rows, rows + height * p->line, (size_t)(2 * p->line));
            load(p, x, top + 2, height, rows + 2 * p->line);
        }
        for (int32_t first = 0; first < tiles; first += 4) {
            four_tiles(p, rows, w, y, v, top, first, tiles - first < 4 ? tiles - first : 4);
        }
    }
    if (p->low > -128 || p->high < 127) {
        for (int32_t i = 0; i < p->out_h * p->out_w * p->out_c; i++) {
            y[i] = (int8_t)nsk_clamp(y[i], p->low, p->high);
        }
    }
}

#endif
