/* Depthwise convolution, int8, portable C99, for 32-bit cores without SIMD. See nsk_pairs.h for the
 * words and for what becomes of their sums.
 *
 * One output channel after the other: the rows that a row of outputs sees are lines of words in
 * scratch, word n the padded pixels n and n + stride, so that four neighbouring outputs are two
 * words a tap. A row is read once, before y is written over it: y may start at x.
 *
 * weights: channels as in nsk_pairs.h, a byte a tap, rounded up to whole words; a group is two taps
 *          of a row of the window, or three where a channel says so.
 */
#include "depthwise_conv2d.h"
#include "nsk_pairs.h"

enum { TAPS = 25 };

/* A row of outputs, four neighbours a time; the assembler below knows the order. */
typedef struct {
    const int32_t *row[5]; /* first words of the next four outputs, a row of the window each */
    const int32_t *taps;   /* weights, row by row */
    int32_t start, highs;  /* of the sums */
    int32_t rows;          /* of the window */
    int32_t three;         /* whether a group is three taps */
    int8_t *y;             /* of the next output */
    int32_t right;         /* bytes of y from one output to the next */
    int32_t fours;         /* times four outputs that are left */
    const int32_t *scale;
    int32_t stride; /* words from one output to the next */
} line;

#if defined(__GNUC__) && (defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__))

/* Three taps a row without dilation; p0-p2 and q0-q2 are the places of the words of outputs 0, 1
 * and 2, 3, and `on` the bytes to the next four outputs. r0 is a row, r1 the taps, r6 the list of
 * rows, r7 the rows that are left; r8-r11 are the sums, r12 is 2^15, lr `three`. */
#define LINE3(name, p0, p1, p2, q0, q1, q2, on)                                                    \
    static NSK_NOINLINE void name(line *task)                                                      \
    {                                                                                              \
        register line *r0 __asm__("r0") = task;                                                    \
        __asm__ volatile(".syntax unified\n"                                                       \
                         ".macro nsk_close x, total, highs\n"                                      \
                         "add \\x, r12\n add \\total, \\x\n asrs \\x, \\x, #16\n"                  \
                         "add \\highs, \\x\n"                                                      \
                         ".endm\n"                                                                 \
                         ".macro nsk_store sum\n" /* r1 scale, r2-r6 its words */                  \
                         "cmp \\sum, r2\n bge 8f\n movs \\sum, r2\n"                               \
                         "8:\n"                                                                    \
                         "cmp \\sum, r3\n ble 9f\n movs \\sum, r3\n"                               \
                         "9:\n"                                                                    \
                         "lsrs r0, r6, #8\n muls r0, \\sum, r0\n asrs r0, r0, #12\n"               \
                         "muls \\sum, r4, \\sum\n adds \\sum, \\sum, r0\n"                         \
                         "adds \\sum, \\sum, r5\n asrs \\sum, r6\n"                                \
                         "mov r0, lr\n strb \\sum, [r0]\n add lr, r12\n"                           \
                         ".endm\n"                                                                 \
                         "push {r4-r7}\n mov r4, r8\n mov r5, r9\n mov r6, r10\n mov r7, r11\n"    \
                         "push {r0, r4-r7}\n"                                                      \
                         "1:\n"                                                                    \
                         "ldr r0, [sp]\n mov r6, r0\n ldr r1, [r0, #20]\n ldr r4, [r0, #24]\n"     \
                         "ldr r5, [r0, #28]\n ldr r7, [r0, #32]\n ldr r3, [r0, #36]\n"             \
                         "mov lr, r3\n mov r8, r4\n mov r9, r5\n mov r10, r4\n mov r11, r5\n"      \
                         "movs r3, #1\n lsls r3, r3, #15\n mov r12, r3\n"                          \
                         "2:\n"                                                                    \
                         "ldr r0, [r6]\n"                                                          \
                         "ldr r2, [r1]\n ldr r4, [r0, #" p0 "]\n muls r4, r2, r4\n"                \
                         "ldr r5, [r0, #" q0 "]\n muls r5, r2, r5\n"                               \
                         "ldr r2, [r1, #4]\n ldr r3, [r0, #" p1 "]\n muls r3, r2, r3\n"            \
                         "adds r4, r4, r3\n ldr r3, [r0, #" q1 "]\n muls r3, r2, r3\n"             \
                         "adds r5, r5, r3\n"                                                       \
                         "mov r3, lr\n cmp r3, #0\n bne 3f\n"                                      \
                         "nsk_close r4, r8, r9\n nsk_close r5, r10, r11\n"                         \
                         "movs r4, #0\n movs r5, #0\n"                                             \
                         "3:\n"                                                                    \
                         "ldr r2, [r1, #8]\n ldr r3, [r0, #" p2 "]\n muls r3, r2, r3\n"            \
                         "adds r4, r4, r3\n ldr r3, [r0, #" q2 "]\n muls r3, r2, r3\n"             \
                         "adds r5, r5, r3\n"                                                       \
                         "nsk_close r4, r8, r9\n nsk_close r5, r10, r11\n"                         \
                         "adds r0, #" on "\n stm r6!, {r0}\n"                                      \
                         "adds r1, #12\n subs r7, r7, #1\n bne 2b\n"                               \
                         "ldr r0, [sp]\n ldr r1, [r0, #40]\n mov lr, r1\n"                         \
                         "ldr r1, [r0, #44]\n mov r12, r1\n"                                       \
                         "ldr r1, [r0, #52]\n ldm r1!, {r2-r6}\n"                                  \
                         "mov r7, r9\n lsls r7, r7, #16\n mov r0, r8\n subs r7, r0, r7\n"          \
                         "nsk_store r7\n"                                                          \
                         "mov r7, r9\n nsk_store r7\n"                                             \
                         "mov r7, r11\n lsls r7, r7, #16\n mov r0, r10\n subs r7, r0, r7\n"        \
                         "nsk_store r7\n"                                                          \
                         "mov r7, r11\n nsk_store r7\n"                                            \
                         "ldr r0, [sp]\n mov r1, lr\n str r1, [r0, #40]\n"                         \
                         "ldr r1, [r0, #48]\n subs r1, r1, #1\n str r1, [r0, #48]\n"               \
                         "beq 5f\n b 1b\n"                                                         \
                         "5:\n"                                                                    \
                         ".purgem nsk_close\n .purgem nsk_store\n"                                 \
                         "pop {r0, r4-r7}\n mov r8, r4\n mov r9, r5\n mov r10, r6\n"               \
                         "mov r11, r7\n pop {r4-r7}\n"                                             \
                         : "+r"(r0)                                                                \
                         :                                                                         \
                         : "r1", "r2", "r3", "r12", "lr", "cc", "memory");                         \
    }

LINE3(next, "0", "4", "8", "8", "12", "16", "16")
LINE3(second, "0", "4", "8", "16", "20", "24", "32")

static void line3(line *task)
{
    if (task->stride == 1) {
        next(task);
    } else {
        second(task);
    }
}

#endif

static inline void close(int32_t group, uint32_t *total, int32_t *highs)
{
    *total += (uint32_t)group;
    *highs += group >> 16;
}

/* Requantize and store four outputs, and go on to the next ones. */
static inline void store(line *task, uint32_t total0, int32_t highs0, uint32_t total1,
                         int32_t highs1)
{
    const int32_t right = task->right;
    int8_t *y = task->y;
    y[0] = nsk_pairs_store(total0 - ((uint32_t)highs0 << 16), task->scale);
    y[right] = nsk_pairs_store((uint32_t)highs0, task->scale);
    y[2 * right] = nsk_pairs_store(total1 - ((uint32_t)highs1 << 16), task->scale);
    y[3 * right] = nsk_pairs_store((uint32_t)highs1, task->scale);
    task->y = y + 4 * right;
    for (int32_t u = 0; u < task->rows; u++) {
        task->row[u] += 4 * task->stride;
    }
}

#if !defined(__GNUC__) || !(defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__))

static NSK_NOINLINE void line3(line *task)
{
    const int32_t next = 2 * task->stride, three = task->three;
    for (; task->fours > 0; task->fours--) {
        const int32_t *tap = task->taps;
        uint32_t total0 = (uint32_t)task->start, total1 = total0;
        int32_t highs0 = task->highs, highs1 = highs0;
        for (int32_t u = 0; u < task->rows; u++, tap += 3) {
            const int32_t *x = task->row[u];
            const int32_t w0 = tap[0], w1 = tap[1], w2 = tap[2];
            int32_t a = x[0] * w0 + x[1] * w1 + (1 << 15);
            int32_t b = x[next] * w0 + x[next + 1] * w1 + (1 << 15);
            if (!three) {
                close(a, &total0, &highs0);
                close(b, &total1, &highs1);
                a = b = 1 << 15;
            }
            a += x[2] * w2;
            b += x[next + 2] * w2;
            close(a, &total0, &highs0);
            close(b, &total1, &highs1);
        }
        store(task, total0, highs0, total1, highs1);
    }
}

#endif

/* Any taps; groups of two. */
static NSK_NOINLINE void line_any(const nsk_depthwise_conv2d_pairs *p, line *task)
{
    const int32_t next = 2 * task->stride, right = p->dilation_w;
    for (; task->fours > 0; task->fours--) {
        const int32_t *tap = task->taps;
        uint32_t total0 = (uint32_t)task->start, total1 = total0;
        int32_t highs0 = task->highs, highs1 = highs0;
        for (int32_t u = 0; u < p->kernel_h; u++) {
            const int32_t *x = task->row[u];
            for (int32_t v = 0; v < p->kernel_w; v += 2, x += 2 * right) {
                const int32_t w0 = *tap++;
                int32_t a = x[0] * w0 + (1 << 15), b = x[next] * w0 + (1 << 15);
                if (v + 1 < p->kernel_w) {
                    const int32_t w1 = *tap++;
                    a += x[right] * w1;
                    b += x[next + right] * w1;
                }
                close(a, &total0, &highs0);
                close(b, &total1, &highs1);
            }
        }
        store(task, total0, highs0, total1, highs1);
    }
}

/* The padded pixel of a row. */
static inline int32_t pixel(const nsk_depthwise_conv2d_pairs *p, const int8_t *row, int32_t column)
{
    const int32_t j = column - p->pad_left;
    return j < 0 || j >= p->in_w ? p->input_zero : row[j * p->in_right];
}

/* One row of a channel as words; NULL is padding. */
static NSK_NOINLINE void load(const nsk_depthwise_conv2d_pairs *p, const int8_t *row, int32_t *line)
{
    const int32_t right = p->in_right, stride = p->stride_w;
    int32_t n = 0, last = p->pad_left + p->in_w - stride;
    if (!row) {
        for (; n < p->width; n++) {
            line[n] = p->input_zero * ((1 << 16) + 1);
        }
        return;
    }
    last = last < p->width ? last : p->width;
    for (; n < p->pad_left && n < p->width; n++) {
        line[n] = pixel(p, row, n) + pixel(p, row, n + stride) * (1 << 16);
    }
    const int8_t *a = row + (n - p->pad_left) * right;
    const int8_t *b = a + stride * right;
    for (; n < last; n++, a += right, b += right) {
        line[n] = *a + *b * (1 << 16);
    }
    for (; n < p->width; n++) {
        line[n] = pixel(p, row, n) + pixel(p, row, n + stride) * (1 << 16);
    }
}

static void run(const nsk_depthwise_conv2d_pairs *p, line *task, int32_t fours)
{
    task->fours = fours;
    if (p->kernel_w == 3 && p->dilation_w == 1 && p->stride_w <= 2) {
        line3(task);
    } else {
        line_any(p, task);
    }
}

/* A row of outputs of one channel; the last four may be some of the last but one, too. */
static NSK_NOINLINE void outputs(const nsk_depthwise_conv2d_pairs *p, line *task, int8_t *y)
{
    const int32_t rest = p->out_w & 3;
    task->y = y;
    task->right = p->out_right;
    if (p->out_w < 4) {
        int8_t four[4];
        task->y = four;
        task->right = 1;
        run(p, task, 1);
        for (int32_t n = 0; n < rest; n++) {
            y[n * p->out_right] = four[n];
        }
        return;
    }
    run(p, task, p->out_w >> 2);
    if (rest > 0) {
        task->y -= (4 - rest) * p->out_right;
        for (int32_t u = 0; u < p->kernel_h; u++) {
            task->row[u] -= (4 - rest) * p->stride_w;
        }
        run(p, task, 1);
    }
}

void nsk_depthwise_conv2d_s8_pairs(const nsk_depthwise_conv2d_pairs *p, const int8_t *x,
                                   const int32_t *w, int8_t *y, void *scratch)
{
    const int32_t taps = p->kernel_h * p->kernel_w, words = (taps + 3) / 4;
    const int32_t multiple = p->out_c / p->in_c;
    int32_t weights[TAPS];
    int32_t *lines = (int32_t *)scratch;
    line task;
    task.taps = weights;
    task.rows = p->kernel_h;
    task.stride = p->stride_w;
    for (int32_t k = 0, c = 0, left = multiple; k < p->out_c; k++, w += words + NSK_PAIRS_WORDS) {
        const int8_t *bytes = (const int8_t *)(w + 2);
        for (int32_t n = 0; n < taps; n++) {
            weights[n] = bytes[n];
        }
        task.start = w[0];
        task.highs = w[1] >> 1;
        task.three = w[1] & 1;
        task.scale = w + 2 + words;
        int32_t loaded = 0, slot = 0; /* padded rows that are in the lines, or have been */
        for (int32_t i = 0; i < p->out_h; i++) {
            const int32_t top = i * p->stride_h;
            for (; loaded < top + p->lines; loaded++) {
                const int32_t row = loaded - p->pad_top;
                const int8_t *from = row < 0 || row >= p->in_h ? 0 : x + row * p->in_down + c;
                if (loaded >= top) {
                    load(p, from, lines + slot * p->width);
                }
                slot = slot + 1 == p->lines ? 0 : slot + 1;
            }
            for (int32_t u = 0, at = slot; u < p->kernel_h; u++) {
                task.row[u] = lines + at * p->width;
                at += p->dilation_h;
                at -= at >= p->lines ? p->lines : 0;
            }
            outputs(p, &task, y + i * p->out_down + k);
        }
        if (--left == 0) {
            left = multiple;
            c++;
        }
    }
}
