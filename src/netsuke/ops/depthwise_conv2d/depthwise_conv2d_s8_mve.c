/* Depthwise convolution with up to 3 x 3 taps, int8, for MVE; plain C elsewhere.
 *
 * Eight channels of four rows of the image are interleaved in scratch, [column][channel][row], so
 * a word holds a column of taps and one gather the whole window of an output. One VMLADAV is then
 * an output, and the same words serve the row of outputs below, with weights moved by a byte.
 * The next rows move the words by two rows and insert two new ones: y may start at x when those
 * are read before they are overwritten.
 *
 * weights: six words a channel: three columns of taps, each three bytes and a zero; the bias with
 *          the input zero point's share; the multiplier; the shift, not above 0.
 */
#include "depthwise_conv2d.h"
#include "nsk_fixed.h"
#include "nsk_mve.h"

enum { LANES = 8, WORDS = 4 * LANES, CHANNEL = 24 };

/* Where four rows of the image are, or padding; bytes from one pixel to the next, or 0. */
typedef struct {
    const int8_t *row[4];
    int32_t step[4];
} rows;

/* Outputs of one or two rows; the assembler below knows the order. Four columns are a block. */
typedef struct {
    const int8_t *weights;
    const int8_t *words;
    int8_t *y, *end;        /* first channel, and behind the last one */
    int32_t blocks;         /* whole ones */
    int32_t rest;           /* whether there is one more, that overlaps the last whole one ... */
    int32_t back, y_back;   /* ... by so many bytes */
    int32_t step;           /* of the words, from one column of outputs to the next */
    int32_t y_step;         /* of y, from one block to the next */
    int32_t mask;           /* bytes of a block that are stored */
    int32_t zero;           /* of the output */
    const uint32_t *places; /* words of a window; of the window two columns on; outputs in y */
} job;

#ifdef NSK_MVE

/* Interleave four rows: 14 instructions for a column. */
static NSK_NOINLINE void interleave(const rows *from, int8_t *words, int32_t channels,
                                    int32_t columns)
{
    register const rows *r0 __asm__("r0") = from;
    register int8_t *r1 __asm__("r1") = words;
    register int32_t r2 __asm__("r2") = channels;
    register int32_t r3 __asm__("r3") = columns;
    __asm__ volatile(".syntax unified\n"
                     "push {r4-r8}\n"
                     "mov r8, r1\n vctp.16 r2\n mov r12, r3\n ldm r0, {r0-r7}\n"
                     "wls lr, r12, 2f\n"
                     "1:\n"
                     "vpsttt\n"
                     "vldrbt.u16 q0, [r0]\n vldrbt.u16 q2, [r1]\n vldrbt.u16 q1, [r2]\n"
                     "vpst\n"
                     "vldrbt.u16 q3, [r3]\n"
                     "vsli.16 q0, q2, #8\n vsli.16 q1, q3, #8\n"
                     "add r0, r4\n add r1, r5\n add r2, r6\n add r3, r7\n"
                     "vst20.16 {q0, q1}, [r8]\n vst21.16 {q0, q1}, [r8]!\n"
                     "le lr, 1b\n"
                     "2:\n"
                     "pop {r4-r8}\n"
                     : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
                     :
                     : "r12", "lr", "q0", "q1", "q2", "q3", "cc", "memory");
}

/* Two rows leave, two rows come: 11 instructions for a column. */
static NSK_NOINLINE void advance(const rows *from, int8_t *words, int32_t channels, int32_t columns)
{
    register const rows *r0 __asm__("r0") = from;
    register int8_t *r1 __asm__("r1") = words;
    register int32_t r2 __asm__("r2") = channels;
    register int32_t r3 __asm__("r3") = columns;
    __asm__ volatile(".syntax unified\n"
                     "push {r4-r8}\n"
                     "mov r8, r1\n vctp.16 r2\n mov r12, r3\n"
                     "ldrd r4, r5, [r0, #24]\n ldrd r0, r1, [r0, #8]\n"
                     "wls lr, r12, 2f\n"
                     "1:\n"
                     "vld20.16 {q0, q1}, [r8]\n vld21.16 {q0, q1}, [r8]\n"
                     "vpstt\n"
                     "vldrbt.u16 q2, [r0]\n vldrbt.u16 q3, [r1]\n"
                     "vsli.16 q2, q3, #8\n"
                     "add r0, r4\n add r1, r5\n"
                     "vst20.16 {q1, q2}, [r8]\n vst21.16 {q1, q2}, [r8]!\n"
                     "le lr, 1b\n"
                     "2:\n"
                     "pop {r4-r8}\n"
                     : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
                     :
                     : "r12", "lr", "q0", "q1", "q2", "q3", "cc", "memory");
}

/* r0 words, r1 step, r2 three steps, r3 bias, r5 multiplier, r7 shift, r9 zero, r11 y, r12 its
 * step; q3 and q4 weights, q5 and q6 places of windows, q7 of outputs. */
#define START                                                                                      \
    ".syntax unified\n"                                                                            \
    "push {r4-r11}\n vpush {d8-d15}\n"                                                             \
    "ldr r1, [r0, #48]\n"                                                                          \
    "vldrw.u32 q5, [r1]\n vldrw.u32 q6, [r1, #16]\n vldrw.u32 q7, [r1, #32]\n"                     \
    "ldrd r1, r12, [r0, #32]\n ldrd r2, r9, [r0, #40]\n vmsr p0, r2\n"                             \
    "add r2, r1, r1, lsl #1\n"                                                                     \
    "ldrd r4, r6, [r0, #24]\n push {r4, r6}\n"                                                     \
    "ldrd r4, r6, [r0, #16]\n push {r4, r6}\n"                                                     \
    "ldrd r4, r6, [r0, #8]\n push {r4, r6}\n"                                                      \
    "ldrd r4, r6, [r0]\n push {r4, r6}\n"                                                          \
    "mov r10, #0\n"

#define CHANNEL_START                                                                              \
    "1:\n"                                                                                         \
    "ldrd r4, r0, [sp]\n ldr r11, [sp, #8]\n"                                                      \
    "vldrw.u32 q3, [r4]\n ldrd r3, r5, [r4, #12]\n ldr r7, [r4, #20]\n"                            \
    "add r4, r4, #24\n add r6, r0, #4\n strd r4, r6, [sp]\n"                                       \
    "add r6, r11, #1\n str r6, [sp, #8]\n"                                                         \
    "mov r10, #0\n vmov.32 q3[3], r10\n"                                                           \
    "ldr r4, [sp, #16]\n"

#define END                                                                                        \
    "4:\n"                                                                                         \
    "ldrd r4, r6, [sp, #8]\n cmp r4, r6\n bne.w 1b\n"                                              \
    "add sp, sp, #32\n vpop {d8-d15}\n pop {r4-r11}\n"

#define REST                                                                                       \
    "ldrd r4, r6, [sp, #20]\n cbz r4, 4f\n ldr r4, [sp, #28]\n subs r0, r0, r6\n subs r11, r11, "  \
    "r4\n"

/* 32 instructions for eight outputs. */
static NSK_NOINLINE void outputs2(const job *task)
{
    register const job *r0 __asm__("r0") = task;
    __asm__ volatile(".macro nsk_block\n"
                     "vldrw.u32 q0, [r0, q5]\n vmladav.s8 r4, q0, q3\n vmladav.s8 r6, q0, q4\n"
                     "vldrw.u32 q0, [r0, q6]\n vmladav.s8 r8, q0, q3\n vmladav.s8 r10, q0, q4\n"
                     "add r0, r1\n"
                     "vmov q1[2], q1[0], r4, r8\n vmov q2[2], q2[0], r6, r10\n"
                     "vldrw.u32 q0, [r0, q5]\n vmladav.s8 r4, q0, q3\n vmladav.s8 r6, q0, q4\n"
                     "vldrw.u32 q0, [r0, q6]\n vmladav.s8 r8, q0, q3\n vmladav.s8 r10, q0, q4\n"
                     "add r0, r2\n"
                     "vmov q1[3], q1[1], r4, r8\n vmov q2[3], q2[1], r6, r10\n"
                     "vadd.i32 q1, q1, r3\n vadd.i32 q2, q2, r3\n"
                     "vqrdmulh.s32 q1, q1, r5\n vqrdmulh.s32 q2, q2, r5\n"
                     "vrshl.s32 q1, r7\n vrshl.s32 q2, r7\n"
                     "vqmovnb.s32 q0, q1\n vqmovnt.s32 q0, q2\n"
                     "vqadd.s16 q0, q0, r9\n vqmovnb.s16 q0, q0\n"
                     "vpst\n vstrbt.16 q0, [r11, q7]\n"
                     "add r11, r12\n"
                     ".endm\n" START CHANNEL_START "vshl.i32 q4, q3, #8\n"
                     "wls lr, r4, 3f\n"
                     "2:\n nsk_block\n le lr, 2b\n"
                     "3:\n" REST "nsk_block\n .purgem nsk_block\n" END
                     : "+r"(r0)
                     :
                     : "r1", "r2", "r3", "r12", "lr", "q0", "q1", "q2", "q3", "cc", "memory");
}

/* 22 instructions for four outputs. */
static NSK_NOINLINE void outputs1(const job *task)
{
    register const job *r0 __asm__("r0") = task;
    __asm__ volatile(".macro nsk_block\n"
                     "vldrw.u32 q0, [r0, q5]\n vmladav.s8 r4, q0, q3\n"
                     "vldrw.u32 q0, [r0, q6]\n vmladav.s8 r8, q0, q3\n"
                     "add r0, r1\n"
                     "vldrw.u32 q0, [r0, q5]\n vmladav.s8 r6, q0, q3\n"
                     "vldrw.u32 q0, [r0, q6]\n vmladav.s8 r10, q0, q3\n"
                     "add r0, r2\n"
                     "vmov q1[2], q1[0], r4, r8\n vmov q1[3], q1[1], r6, r10\n"
                     "vadd.i32 q1, q1, r3\n vqrdmulh.s32 q1, q1, r5\n vrshl.s32 q1, r7\n"
                     "vqmovnb.s32 q1, q1\n vqadd.s16 q1, q1, r9\n vqmovnb.s16 q1, q1\n"
                     "vpst\n vstrbt.32 q1, [r11, q7]\n"
                     "add r11, r12\n"
                     ".endm\n" START CHANNEL_START "wls lr, r4, 3f\n"
                     "2:\n nsk_block\n le lr, 2b\n"
                     "3:\n" REST "nsk_block\n .purgem nsk_block\n" END
                     : "+r"(r0)
                     :
                     : "r1", "r2", "r3", "r12", "lr", "q0", "q1", "q2", "q3", "cc", "memory");
}

#else

static void interleave(const rows *from, int8_t *words, int32_t channels, int32_t columns)
{
    for (int32_t j = 0; j < columns; j++) {
        for (int32_t c = 0; c < channels; c++) {
            for (int32_t u = 0; u < 4; u++) {
                words[j * WORDS + 4 * c + u] = from->row[u][j * from->step[u] + c];
            }
        }
    }
}

static void advance(const rows *from, int8_t *words, int32_t channels, int32_t columns)
{
    for (int32_t j = 0; j < columns; j++) {
        for (int32_t c = 0; c < channels; c++) {
            for (int32_t u = 0; u < 2; u++) {
                words[j * WORDS + 4 * c + u] = words[j * WORDS + 4 * c + u + 2];
                words[j * WORDS + 4 * c + u + 2] = from->row[u + 2][j * from->step[u + 2] + c];
            }
        }
    }
}

/* One output, `moved` rows below the first. */
static int8_t output(const job *task, const int8_t *weights, const int8_t *words, int32_t moved)
{
    int32_t tail[3];
    memcpy(tail, weights + 12, sizeof tail);
    for (int32_t v = 0; v < 3; v++) {
        for (int32_t u = 0; u < 3; u++) {
            tail[0] += weights[4 * v + u] * words[(int32_t)task->places[v] + u + moved];
        }
    }
    return nsk_store_s8(tail[0], tail[1], tail[2], task->zero, -128, 127);
}

static void outputs(const job *task, int32_t count)
{
    const int32_t channels = (int32_t)(task->end - task->y);
    for (int32_t c = 0; c < channels; c++) {
        const int8_t *words = task->words + 4 * c;
        int8_t *y = task->y + c;
        for (int32_t n = 0; n < task->blocks + task->rest; n++) {
            words -= n < task->blocks ? 0 : task->back;
            y -= n < task->blocks ? 0 : task->y_back;
            for (int32_t j = 0; j < 4; j++, words += task->step) {
                for (int32_t moved = 0; moved < count; moved++) {
                    const int32_t lane = count * j + moved;
                    const uint32_t place =
                        count == 1 ? task->places[8 + lane]
                                   : task->places[8 + lane / 2] >> (16 * (lane & 1)) & 0xffff;
                    if (task->mask >> (lane * 4 / count) & 1) {
                        y[place] = output(task, task->weights + CHANNEL * c, words, moved);
                    }
                }
            }
            y += task->y_step;
        }
    }
}

static void outputs1(const job *task)
{
    outputs(task, 1);
}

static void outputs2(const job *task)
{
    outputs(task, 2);
}

#endif

/* The words of eight channels for the output rows from i on. */
static void load(const nsk_depthwise_conv2d_words *p, const int8_t *x, int32_t channels, int32_t i,
                 int8_t *words, const int8_t *fill)
{
    const int32_t top = i * p->stride_row - p->pad_row;
    const int32_t left = p->pad_column < p->width ? p->pad_column : p->width;
    const int32_t middle = p->columns < p->width - left ? p->columns : p->width - left;
    const int32_t right = p->width - left - middle;
    rows from;
    for (int32_t u = 0; u < 4; u++) {
        const int32_t row = top + u * p->dilation_row;
        const int32_t inside = row >= 0 && row < p->rows;
        from.row[u] = inside ? x + row * p->in_row : fill;
        from.step[u] = inside ? p->in_column : 0;
    }
    if (i > 0 && p->dilation_row == 1 && p->stride_row <= 2) {
        advance(&from, words + left * WORDS, channels, middle);
        return;
    }
    nsk_mve_fill(words, p->input_zero, left * WORDS);
    interleave(&from, words + left * WORDS, channels, middle);
    nsk_mve_fill(words + (left + middle) * WORDS, p->input_zero, right * WORDS);
}

/* Places of windows in the words, and of one or two rows of outputs in y; see job. */
static void set_places(const nsk_depthwise_conv2d_words *p, int32_t both, uint32_t *places)
{
    const uint32_t right = (uint32_t)(p->dilation_column * WORDS);
    const uint32_t on = (uint32_t)(2 * p->stride_column * WORDS);
    for (uint32_t n = 0; n < 4; n++) {
        places[n] = (n < 3 ? n : 0) * right;
        places[4 + n] = places[n] + on;
        places[8 + n] = n * (uint32_t)p->out_column;
        if (both) {
            places[8 + n] |= (places[8 + n] + (uint32_t)p->out_row) << 16;
        }
    }
}

void nsk_depthwise_conv2d_s8_mve(const nsk_depthwise_conv2d_words *p, const int8_t *x,
                                 const int8_t *w, int8_t *y, void *scratch)
{
    const int32_t both = p->stride_row == 1 && p->dilation_row == 1;
    const int32_t rest = p->out_columns & 3, few = p->out_columns < 4;
    int8_t fill[LANES];
    uint32_t places1[12], places2[12];
    job task;
    memset(fill, p->input_zero, sizeof fill);
    set_places(p, 0, places1);
    set_places(p, 1, places2);
    task.words = (const int8_t *)scratch;
    task.blocks = p->out_columns >> 2;
    task.rest = rest > 0;
    task.step = p->stride_column * WORDS;
    task.y_step = 4 * p->out_column;
    task.back = few ? 0 : (4 - rest) * task.step;
    task.y_back = few ? 0 : (4 - rest) * p->out_column;
    task.mask = few ? (1 << 4 * rest) - 1 : 0xffff;
    task.zero = p->output_zero;
    for (int32_t c = 0; c < p->channels; c += LANES) {
        const int32_t channels = p->channels - c < LANES ? p->channels - c : LANES;
        for (int32_t i = 0; i < p->out_rows; i += 1 + both) {
            load(p, x + c, channels, i, (int8_t *)scratch, fill);
            task.weights = w + c * CHANNEL;
            task.y = y + i * p->out_row + c;
            task.end = task.y + channels;
            if (both && i + 1 < p->out_rows) {
                task.places = places2;
                outputs2(&task);
            } else {
                task.places = places1;
                outputs1(&task);
            }
        }
    }
    nsk_mve_clamp(y, p->out_rows * p->out_columns * p->channels, p->low, p->high);
}
