/* Depthwise 3 x 3 convolution, int8, for Armv7E-M DSP; plain C elsewhere.
 *
 * Each channel is copied into a padded plane of int16 (the scratch), so a load brings two
 * neighbours and a SMLAD multiplies both, and so y may start at x: what is overwritten belongs to
 * the channel that was just copied. Two neighbouring outputs are computed together. To need less
 * scratch, a plane may be made in bands of rows, each of which keeps the last rows of the one above.
 *
 * weights: five words a channel: twice the bias with the input zero point's share; the bytes
 *          w00 w10 w01 w11; w20 shift w02 w12; w21 0 w22 0; the multiplier. w[row][column] are in
 *          the plane's directions. The sums are doubled, see nsk_high_plus.
 */
#include "depthwise_conv2d.h"
#include "nsk_dsp.h"
#include "nsk_fixed.h"

/* One channel's work; the assembler below knows the order. All steps are in bytes. */
typedef struct {
    const int32_t *channel;
    const int16_t *plane;
    int8_t *y;
    int32_t step;       /* of y, from one output of a row to the next */
    int32_t tap;        /* of the plane, from one row of a window to the next */
    int32_t span;       /* of the plane, advanced by the couples of outputs of a row */
    int32_t row;        /* of the plane, from one row of outputs to the next */
    int32_t skip;       /* of y, from behind a row of outputs to the next */
    const int16_t *end; /* plane + rows of outputs * row */
    int32_t odd;        /* whether a row has one more output behind its couples */
    int32_t twice_zero; /* 2 * output zero point + 1 */
    int32_t stride;     /* 1 or 2, along a row */
} task;

#ifdef NSK_DSP

/* Two outputs of one row of a window, stride 1: x in r10, r11; sums in r12 and lr. */
#define ROW1(pointer, w01, w12)                                                                    \
    "smlad r12, r10, " w01 ", r12\n"                                                               \
    "smlad lr, r11, " w12 ", lr\n"                                                                 \
    "smlabt r12, r11, " w12 ", r12\n"

#define ROW2(pointer, w01, w12)                                                                    \
    "smlabt r12, r11, " w12 ", r12\n"                                                              \
    "ldr r10, [" pointer "]\n"                                                                     \
    "smlabt lr, r10, " w12 ", lr\n"

#define STORE_COUPLE                                                                               \
    "ldrd r10, r11, [sp]\n"                                                                        \
    "smmlar r12, r12, r10, r11\n"                                                                  \
    "smmlar lr, lr, r10, r11\n"                                                                    \
    "ldrd r10, r11, [sp, #8]\n"                                                                    \
    "asr r12, r12, r10\n"                                                                          \
    "asr lr, lr, r10\n"                                                                            \
    "ssat r12, #8, r12\n"                                                                          \
    "ssat lr, #8, lr\n"                                                                            \
    "strb r12, [r3]\n"                                                                             \
    "strb lr, [r3, r11]\n"                                                                         \
    "add r3, r3, r11, lsl #1\n"                                                                    \
    "ldr r10, [sp, #16]\n"                                                                         \
    "cmp r0, r10\n"

/* r0-r2 rows of the plane, r3 y, r4-r9 doubled weights as (w0, w1), (w1, w2) of each row.
 * sp: multiplier, round, shift, step, end of the row's couples, row, bias, plane skip, y skip,
 * end, odd, loop. */
static __attribute__((noinline)) void channel(const task *given)
{
    register const task *r0 __asm__("r0") = given;
    __asm__ volatile(".syntax unified\n"
                     "push {r4-r11}\n"
                     "sub sp, sp, #48\n"
                     "ldr r1, [r0]\n"
                     "ldm r1, {r2, r3, r10, r11, r12}\n"
                     "sxtb16 r4, r3\n"
                     "sxtb16 r6, r3, ror #8\n"
                     "sxtb16 r1, r10\n"
                     "sxtb16 r8, r10, ror #8\n"
                     "sxtb16 r9, r11\n"
                     "uxtb r10, r8\n"
                     "pkhtb r5, r1, r4, asr #16\n"
                     "pkhtb r7, r8, r6, asr #16\n"
                     "pkhbt r8, r1, r9, lsl #16\n"
                     "sadd16 r4, r4, r4\n"
                     "sadd16 r5, r5, r5\n"
                     "sadd16 r6, r6, r6\n"
                     "sadd16 r7, r7, r7\n"
                     "sadd16 r8, r8, r8\n"
                     "sadd16 r9, r9, r9\n"
                     "ldrd r11, r1, [r0, #40]\n" /* twice zero, stride */
                     "lsl r11, r11, r10\n"
                     "asr r11, r11, #1\n"
                     "strd r12, r11, [sp]\n"
                     "ldrd r11, r12, [r0, #12]\n" /* step, tap */
                     "strd r10, r11, [sp, #8]\n"
                     "str r2, [sp, #24]\n"
                     "adr r10, 1f\n"
                     "adr r11, 2f\n"
                     "cmp r1, #1\n"
                     "it eq\n"
                     "moveq r11, r10\n"
                     "orr r11, r11, #1\n"
                     "ldr r10, [r0, #36]\n"
                     "strd r10, r11, [sp, #40]\n" /* odd, loop */
                     "ldrd r10, r11, [r0, #20]\n" /* span, row */
                     "ldrd r1, r3, [r0, #4]\n"    /* plane, y */
                     "add r2, r1, r10\n"
                     "strd r2, r11, [sp, #16]\n"
                     "sub r10, r11, r10\n"
                     "ldrd r2, r11, [r0, #28]\n" /* skip, end */
                     "str r10, [sp, #28]\n"
                     "strd r2, r11, [sp, #32]\n"
                     "mov r0, r1\n"
                     "add r1, r0, r12\n"
                     "add r2, r1, r12\n"
                     "0:\n"
                     "ldr pc, [sp, #44]\n"
                     ".balign 4\n"
                     "1:\n"
                     "ldrd r10, r11, [r0], #4\n"
                     "ldr r12, [sp, #24]\n"
                     "smlatb lr, r10, r4, r12\n" ROW1(
                         "r0", "r4", "r5") "ldrd r10, r11, [r1], #4\n"
                                           "smlatb lr, r10, r6, lr\n" ROW1(
                                               "r1", "r6", "r7") "ldrd r10, r11, [r2], #4\n"
                                                                 "smlatb lr, r10, r8, lr\n" ROW1(
                                                                     "r2", "r8", "r9") STORE_COUPLE
                     "bne 1b\n"
                     "b 3f\n"
                     ".balign 4\n"
                     "2:\n"
                     "ldrd r10, r11, [r0], #8\n"
                     "ldr r12, [sp, #24]\n"
                     "smlad lr, r11, r4, r12\n"
                     "smlad r12, r10, r4, r12\n" ROW2(
                         "r0", "r4", "r5") "ldrd r10, r11, [r1], #8\n"
                                           "smlad lr, r11, r6, lr\n"
                                           "smlad r12, r10, r6, r12\n" ROW2(
                                               "r1", "r6", "r7") "ldrd r10, r11, [r2], #8\n"
                                                                 "smlad lr, r11, r8, lr\n"
                                                                 "smlad r12, r10, r8, r12\n" ROW2(
                                                                     "r2", "r8", "r9") STORE_COUPLE
                     "bne 2b\n"
                     "3:\n"
                     "ldr r10, [sp, #40]\n"
                     "cmp r10, #0\n"
                     "beq 4f\n"
                     "ldrd r10, r11, [r0]\n"
                     "ldr r12, [sp, #24]\n"
                     "smlad r12, r10, r4, r12\n"
                     "smlabt r12, r11, r5, r12\n"
                     "ldrd r10, r11, [r1]\n"
                     "smlad r12, r10, r6, r12\n"
                     "smlabt r12, r11, r7, r12\n"
                     "ldrd r10, r11, [r2]\n"
                     "smlad r12, r10, r8, r12\n"
                     "smlabt r12, r11, r9, r12\n"
                     "ldrd r10, r11, [sp]\n"
                     "smmlar r12, r12, r10, r11\n"
                     "ldrd r10, r11, [sp, #8]\n"
                     "asr r12, r12, r10\n"
                     "ssat r12, #8, r12\n"
                     "strb r12, [r3]\n"
                     "add r3, r3, r11\n"
                     "4:\n"
                     "ldrd r10, r11, [sp, #28]\n"
                     "add r0, r0, r10\n"
                     "add r1, r1, r10\n"
                     "add r2, r2, r10\n"
                     "add r3, r3, r11\n"
                     "ldrd r10, r11, [sp, #16]\n"
                     "add r10, r10, r11\n"
                     "str r10, [sp, #16]\n"
                     "ldr r10, [sp, #36]\n"
                     "cmp r0, r10\n"
                     "bne 0b\n"
                     "add sp, sp, #48\n"
                     "pop {r4-r11}\n"
                     : "+r"(r0)
                     :
                     : "r1", "r2", "r3", "r12", "lr", "cc", "memory");
}

/* Copy one channel's pixels into the plane: a column is `step` bytes behind the one before. */
static __attribute__((noinline)) void copy_rows(const int8_t *x, int16_t *plane, int32_t count,
                                                const nsk_depthwise_conv2d_plane *p)
{
    const int32_t skips[2] = {p->in_row - p->columns * p->in_column, 2 * (p->plane_w - p->columns)};
    const int32_t columns = p->columns, step = p->in_column;
    register const int8_t *r0 __asm__("r0") = x;
    register int16_t *r1 __asm__("r1") = plane;
    register int32_t r2 __asm__("r2") = columns;
    register int32_t r3 __asm__("r3") = step;
    register int32_t rows __asm__("r12") = count;
    register const int32_t *skip __asm__("lr") = skips;
    __asm__ volatile(".syntax unified\n"
                     "push {r4-r11}\n"
                     "add r9, r3, r3, lsl #1\n"
                     "ldrd r10, r11, [lr]\n"
                     "1:\n"
                     "lsrs r4, r2, #2\n"
                     "beq 3f\n"
                     "2:\n"
                     "ldrsb r5, [r0]\n"
                     "ldrsb r6, [r0, r3]\n"
                     "ldrsb r7, [r0, r3, lsl #1]\n"
                     "ldrsb r8, [r0, r9]\n"
                     "add r0, r0, r3, lsl #2\n"
                     "pkhbt r5, r5, r6, lsl #16\n"
                     "pkhbt r7, r7, r8, lsl #16\n"
                     "str r5, [r1], #4\n"
                     "str r7, [r1], #4\n"
                     "subs r4, r4, #1\n"
                     "bne 2b\n"
                     "3:\n"
                     "lsls r4, r2, #31\n" /* carry: bit 1, not zero: bit 0 */
                     "bcc 4f\n"
                     "ldrsb r5, [r0]\n"
                     "ldrsb r6, [r0, r3]\n"
                     "add r0, r0, r3, lsl #1\n"
                     "pkhbt r5, r5, r6, lsl #16\n"
                     "str r5, [r1], #4\n"
                     "4:\n"
                     "beq 5f\n"
                     "ldrsb r5, [r0]\n"
                     "add r0, r0, r3\n"
                     "strh r5, [r1], #2\n"
                     "5:\n"
                     "add r0, r0, r10\n"
                     "add r1, r1, r11\n"
                     "subs r12, r12, #1\n"
                     "bne 1b\n"
                     "pop {r4-r11}\n"
                     : "+r"(r0), "+r"(r1), "+r"(rows)
                     : "r"(r2), "r"(r3), "r"(skip), "m"(skips)
                     : "cc", "memory");
}

#else

/* One output: the window starts at x, `tap` bytes lie between its rows. */
static int8_t window(const task *t, const int16_t *x)
{
    const int8_t places[9] = {0, 2, 6, 1, 3, 7, 4, 8, 10}; /* bytes of w00, w01, ... */
    const int32_t *words = t->channel;
    const int32_t right = (words[2] >> 8) & 255;
    int32_t sum = words[0];
    for (int32_t i = 0; i < 9; i++) {
        const uint32_t word = (uint32_t)words[1 + places[i] / 4];
        const int32_t weight = (int8_t)(uint8_t)(word >> (8 * (places[i] % 4)));
        sum += 2 * weight * x[i / 3 * (t->tap / 2) + i % 3];
    }
    const int32_t round = t->twice_zero * (INT32_C(1) << right) >> 1;
    return nsk_saturate8(nsk_high_plus(sum, words[4], round) >> right);
}

static void channel(const task *t)
{
    int8_t *y = t->y;
    for (const int16_t *row = t->plane; row != t->end; row += t->row / 2, y += t->skip) {
        const int32_t count = t->span / (2 * t->stride) + t->odd;
        for (int32_t j = 0; j < count; j++, y += t->step) {
            *y = window(t, row + j * t->stride);
        }
    }
}

static void copy_rows(const int8_t *x, int16_t *plane, int32_t count,
                      const nsk_depthwise_conv2d_plane *p)
{
    for (int32_t i = 0; i < count; i++) {
        for (int32_t j = 0; j < p->columns; j++) {
            plane[i * p->plane_w + j] = x[i * p->in_row + j * p->in_column];
        }
    }
}

#endif

static void clamp(int8_t *y, int32_t count, int32_t low, int32_t high)
{
    for (int32_t i = 0; i < count; i++) {
        y[i] = (int8_t)(y[i] < low ? low : y[i] > high ? high : y[i]);
    }
}

static NSK_NOINLINE void fill(int16_t *plane, int32_t count, int32_t value)
{
    for (int32_t i = 0; i < count; i++) {
        plane[i] = (int16_t)value;
    }
}

static task prepare(const nsk_depthwise_conv2d_plane *p, const int32_t *w, int8_t *y,
                    int16_t *plane)
{
    const int32_t line = 2 * p->plane_w;
    const task t = {w,
                    plane,
                    y,
                    p->out_column,
                    p->dilation_row * line,
                    p->out_columns / 2 * 4 * p->stride_column,
                    p->stride_row * line,
                    p->out_row - p->out_columns * p->out_column,
                    plane + p->out_rows * p->stride_row * p->plane_w,
                    p->out_columns & 1,
                    2 * p->output_zero + 1,
                    p->stride_column};
    fill(plane, p->plane_h * p->plane_w, p->input_zero);
    return t;
}

static NSK_NOINLINE void finish(const nsk_depthwise_conv2d_plane *p, int8_t *y)
{
    if (p->low > -128 || p->high < 127) {
        clamp(y, p->out_rows * p->out_columns * p->in_c * p->multiplier, p->low, p->high);
    }
}

void nsk_depthwise_conv2d_s8_dsp(const nsk_depthwise_conv2d_plane *p, const int8_t *x,
                                 const int32_t *w, int8_t *y, void *scratch)
{
    int16_t *plane = scratch;
    int16_t *inner = plane + p->pad_row * p->plane_w + p->pad_column;
    task t = prepare(p, w, y, plane);
    for (int32_t c = 0; c < p->in_c; c++) {
        if (p->rows > 0 && p->columns > 0) {
            copy_rows(x + c, inner, p->rows, p);
        }
        for (int32_t m = 0; m < p->multiplier; m++) {
            channel(&t);
            t.channel += 5;
            t.y++;
        }
    }
    finish(p, y);
}

/* Make the plane of one channel for so many rows of outputs from `first` on. */
static void load(const nsk_depthwise_conv2d_plane *p, const int8_t *x, int16_t *plane,
                 int32_t first, int32_t outputs)
{
    const int32_t reach = 2 * p->dilation_row + 1, start = first * p->stride_row;
    const int32_t end = start + (outputs - 1) * p->stride_row + reach;
    const int32_t bottom = p->pad_row + p->rows; /* of the image's rows */
    int32_t row = start;
    if (first > 0 && reach > p->stride_row) {
        row += reach - p->stride_row;
        memcpy(plane, plane + p->band * p->stride_row * p->plane_w,
               (size_t)((row - start) * p->plane_w * 2));
    }
    plane += (row - start) * p->plane_w;
    if (row < p->pad_row || end > bottom) {
        fill(plane, (end - row) * p->plane_w, p->input_zero);
    }
    if (row < p->pad_row) {
        plane += (p->pad_row - row) * p->plane_w;
        row = p->pad_row;
    }
    const int32_t count = (end < bottom ? end : bottom) - row;
    if (count > 0 && p->columns > 0) {
        copy_rows(x + (row - p->pad_row) * p->in_row, plane + p->pad_column, count, p);
    }
}

void nsk_depthwise_conv2d_s8_dsp_bands(const nsk_depthwise_conv2d_plane *p, const int8_t *x,
                                       const int32_t *w, int8_t *y, void *scratch)
{
    int16_t *plane = scratch;
    task t = prepare(p, w, y, plane);
    for (int32_t c = 0; c < p->in_c; c++) {
        for (int32_t first = 0, rows; first < p->out_rows; first += rows) {
            rows = p->out_rows - first < p->band ? p->out_rows - first : p->band;
            load(p, x + c, plane, first, rows);
            t.end = plane + rows * p->stride_row * p->plane_w;
            t.channel = w + 5 * c * p->multiplier;
            t.y = y + first * p->out_row + c * p->multiplier;
            for (int32_t m = 0; m < p->multiplier; m++, t.channel += 5, t.y++) {
                channel(&t);
            }
        }
    }
    finish(p, y);
}
