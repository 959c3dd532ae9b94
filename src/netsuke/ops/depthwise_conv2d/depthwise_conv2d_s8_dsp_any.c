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
#include "nsk_dsp.h"
#include "nsk_fixed.h"

/* Outputs of one row, four at a time; the assembler below knows the order. */
typedef struct {
    const uint32_t *pairs;
    const int16_t *x;
    int8_t *y;
    int32_t fours;
    int32_t step;  /* bytes of y from one output to the next */
    int32_t down;  /* bytes of x from behind a row of taps to the next one */
    int32_t rows;  /* of taps */
    int32_t steps; /* words of such a row, at most 8 */
    int32_t twice_bias;
    int32_t apart; /* bytes of x between two outputs */
    int32_t multiplier, round, right;
} task;

#ifdef NSK_DSP

/* Sums in r4-r7; r8 and r9 are free. */
#define STORE_FOUR                                                                                 \
    "add r8, sp, #40\n"                                                                            \
    "ldm r8, {r9, r10, r11}\n"                                                                     \
    "smmlar r4, r4, r9, r10\n"                                                                     \
    "smmlar r5, r5, r9, r10\n"                                                                     \
    "smmlar r6, r6, r9, r10\n"                                                                     \
    "smmlar r7, r7, r9, r10\n"                                                                     \
    "asr r4, r4, r11\n"                                                                            \
    "asr r5, r5, r11\n"                                                                            \
    "asr r6, r6, r11\n"                                                                            \
    "asr r7, r7, r11\n"                                                                            \
    "ssat r4, #8, r4\n"                                                                            \
    "ssat r5, #8, r5\n"                                                                            \
    "ssat r6, #8, r6\n"                                                                            \
    "ssat r7, #8, r7\n"                                                                            \
    "add r8, sp, #4\n"                                                                             \
    "ldm r8, {r1, r9, r10, r11}\n" /* x, y, fours, step */                                         \
    "strb r4, [r9]\n"                                                                              \
    "strb r5, [r9, r11]\n"                                                                         \
    "add r9, r9, r11, lsl #1\n"                                                                    \
    "strb r6, [r9]\n"                                                                              \
    "strb r7, [r9, r11]\n"                                                                         \
    "add r9, r9, r11, lsl #1\n"

/* A step: the words of outputs 0 and 1 in `now`, those of 2 and 3 are loaded into `next`. */
#define SHARED(now, next)                                                                          \
    "ldrd r8, r9, [r0], #8\n"                                                                      \
    "ldr.w " next ", [r1], #4\n"                                                                   \
    "smlad r4, " now ", r8, r4\n"                                                                  \
    "smlad r5, " now ", r9, r5\n"                                                                  \
    "smlad r6, " next ", r8, r6\n"                                                                 \
    "smlad r7, " next ", r9, r7\n"

/* Fours of neighbouring outputs: 6 instructions for 8 products. r2 down, r12 entry into the chain of
 * eight steps, which may be an odd one: so the first word is in both registers. */
static NSK_NOINLINE void fours_shared(const task *given)
{
    register const task *r0 __asm__("r0") = given;
    __asm__ volatile(".syntax unified\n"
                     ".balign 4\n"
                     "push {r4-r11}\n"
                     "sub sp, sp, #56\n"
                     "ldm r0!, {r1-r7}\n"
                     "stm sp, {r1-r7}\n"
                     "ldm r0, {r3-r8}\n" /* steps, twice bias, apart, multiplier, round, right */
                     "add r9, sp, #28\n"
                     "stm r9, {r3-r8}\n"
                     "ldr r2, [sp, #20]\n"
                     "add r3, r3, r3, lsl #1\n"
                     "adr r12, 3f\n"
                     "sub r12, r12, r3, lsl #3\n" /* 24 bytes a step */
                     "orr r12, r12, #1\n"
                     "1:\n"
                     "ldrd r0, r1, [sp]\n"
                     "ldrd r3, r10, [sp, #24]\n"
                     "ldr r4, [sp, #32]\n"
                     "mov r5, r4\n"
                     "mov r6, r4\n"
                     "mov r7, r4\n"
                     "2:\n"
                     "ldr r10, [r1], #4\n"
                     "mov r11, r10\n"
                     "bx r12\n"
                     ".balign 4\n" SHARED("r10", "r11") SHARED("r11", "r10") SHARED("r10", "r11")
                         SHARED("r11", "r10") SHARED("r10", "r11") SHARED("r11", "r10")
                             SHARED("r10", "r11") SHARED("r11", "r10") "3:\n"
                                                                       "add r1, r1, r2\n"
                                                                       "subs r3, r3, #1\n"
                                                                       "bne.w 2b\n" STORE_FOUR
                                                                       "add r1, r1, #8\n"
                                                                       "subs r10, r10, #1\n"
                                                                       "stm r8, {r1, r9, r10}\n"
                                                                       "bne.w 1b\n"
                                                                       "add sp, sp, #56\n"
                                                                       "pop {r4-r11}\n"
                     : "+r"(r0)
                     :
                     : "r1", "r2", "r3", "r12", "lr", "cc", "memory");
}

#define SINGLE                                                                                     \
    "ldr.w r8, [r0], #4\n"                                                                         \
    "ldr.w r9, [r1, r2]\n"                                                                         \
    "ldr.w r10, [r1, r2, lsl #1]\n"                                                                \
    "ldr.w r11, [r1, r12]\n"                                                                       \
    "ldr.w lr, [r1], #4\n"                                                                         \
    "smlad r5, r9, r8, r5\n"                                                                       \
    "smlad r6, r10, r8, r6\n"                                                                      \
    "smlad r7, r11, r8, r7\n"                                                                      \
    "smlad r4, lr, r8, r4\n"

/* Fours of outputs that lie apart: 9 instructions for 8 products. r2 apart, r12 three times that. */
static NSK_NOINLINE void fours_apart(const task *given)
{
    register const task *r0 __asm__("r0") = given;
    __asm__ volatile(".syntax unified\n"
                     ".balign 4\n"
                     "push {r4-r11}\n"
                     "sub sp, sp, #56\n"
                     "ldm r0!, {r1-r7}\n"
                     "stm sp, {r1-r7}\n"
                     "ldm r0, {r3-r8}\n"
                     "add r9, sp, #28\n"
                     "stm r9, {r3-r8}\n"
                     "mov r2, r5\n"
                     "add r12, r2, r2, lsl #1\n"
                     "add r3, r3, r3, lsl #3\n"
                     "adr r10, 3f\n"
                     "sub r10, r10, r3, lsl #2\n" /* 36 bytes a step */
                     "orr r10, r10, #1\n"
                     "str r10, [sp, #52]\n"
                     "1:\n"
                     "ldrd r0, r1, [sp]\n"
                     "ldr r3, [sp, #24]\n"
                     "ldr r4, [sp, #32]\n"
                     "mov r5, r4\n"
                     "mov r6, r4\n"
                     "mov r7, r4\n"
                     "2:\n"
                     "ldr pc, [sp, #52]\n"
                     ".balign 4\n"
                     ".rept 8\n" SINGLE ".endr\n"
                     "3:\n"
                     "ldr r8, [sp, #20]\n"
                     "add r1, r1, r8\n"
                     "subs r3, r3, #1\n"
                     "bne.w 2b\n" STORE_FOUR "add r1, r1, r2, lsl #2\n"
                     "subs r10, r10, #1\n"
                     "stm r8, {r1, r9, r10}\n"
                     "bne.w 1b\n"
                     "add sp, sp, #56\n"
                     "pop {r4-r11}\n"
                     : "+r"(r0)
                     :
                     : "r1", "r2", "r3", "r12", "lr", "cc", "memory");
}

#else

/* One output whose window starts at x: every `each` word of pairs from `pairs` on. */
static int8_t window(const task *t, const int16_t *x, const uint32_t *pairs, int32_t each)
{
    int32_t sum = t->twice_bias;
    for (int32_t u = 0; u < t->rows; u++, x += t->down / 2) {
        for (int32_t i = 0; i < t->steps; i++, x += 2, pairs += each) {
            sum = nsk_dual(nsk_lanes(x[0], x[1]), *pairs, sum);
        }
    }
    return nsk_saturate8(nsk_high_plus(sum, t->multiplier, t->round) >> t->right);
}

static void fours_apart(const task *given)
{
    task t = *given;
    for (int32_t i = 0; i < 4 * t.fours; i++) {
        t.y[i * t.step] = window(&t, t.x + i * (t.apart / 2), t.pairs, 1);
    }
}

static void fours_shared(const task *given)
{
    task t = *given;
    t.down += 4; /* the word that the last two outputs see */
    for (int32_t i = 0; i < 4 * t.fours; i++) {
        t.y[i * t.step] = window(&t, t.x + (i & ~1), t.pairs + (i & 1), 2);
    }
}

#endif

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
static NSK_NOINLINE void make_last(task t, int32_t count, void (*fours)(const task *))
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
static void make_rows(const nsk_depthwise_conv2d_phases *p, task *t, const int16_t *plane,
                      int8_t *y, int32_t rows)
{
    void (*const fours)(const task *) = p->apart == 1 ? fours_shared : fours_apart;
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
    task t = {pairs,
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
