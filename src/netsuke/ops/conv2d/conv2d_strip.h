/* The strip: four windows widened to int16, and its product with all output channels.
 *
 * strip:   word [pair][pixel], the pair's two int16 lanes.
 * weights: a couple (a, b) of channels is bias a, bias b, one word a pair with the bytes
 *          a0 b0 a1 b1, then right shift a | right shift b << 8, multiplier a, multiplier b.
 *          The bias holds the input zero point's share; an odd last channel has a b of zeros.
 */
#ifndef NSK_CONV2D_STRIP_H
#define NSK_CONV2D_STRIP_H

#include "nsk_dsp.h"

/* What the strip's product needs; the assembler below knows the order. */
typedef struct {
    const int32_t *weights;
    const int32_t *strip;
    int8_t *y;
    int32_t stride;     /* bytes from one output pixel to the next */
    const int8_t *end;  /* y + 2 * couples */
    int32_t pairs;      /* words of a couple */
    int32_t twice_zero; /* 2 * output zero point + 1 */
} product;

/* Where the windows of four pixels lie; the assembler below knows the order. */
typedef struct {
    const int8_t *at[4]; /* first byte of each window */
    int32_t *strip;
    int32_t words, rest; /* of a run: whole words, and the bytes behind them */
    int32_t move;        /* from behind a run to the start of the one below */
    const int8_t *end;   /* of the ring of rows: a start behind it goes back by `size` */
    int32_t size;
    int32_t rows; /* runs of a window */
} windows;

#ifdef NSK_DSP

/* 13 instructions for 16 multiply-accumulates. r0 weights, r1 strip, r4-r7 sums of a, r8-r11 of b.
 * The chain of 16 such bodies is entered so that it ends with the strip. */
static __attribute__((noinline)) void multiply4(const product *task)
{
    register const product *r0 __asm__("r0") = task;
    __asm__ volatile(
        ".syntax unified\n"
        ".balign 4\n" /* or adr, which counts in words, misses after linking */
        "push {r4-r11}\n ldm r0, {r0, r1, r3, r4, r5, r6, r7}\n"
        "add r8, r1, r6, lsl #4\n" /* end of the strip */
        "sub r6, r6, #1\n and r6, r6, #15\n"
        "mov r9, #52\n" /* bytes of a body */
        "mul r6, r6, r9\n adr r9, 3f\n sub r9, r9, r6\n"
        "orr r9, r9, #1\n" /* entry into the chain, Thumb */
        "push {r1, r3, r4, r5, r7, r8, r9}\n"
        "1:\n"
        "ldr r1, [sp]\n ldrd r4, r8, [r0], #8\n ldr r2, [r0], #4\n ldrd r12, lr, [r1, #8]\n"
        "sxtb16 r3, r2, ror #8\n sxtb16 r2, r2\n smlad r6, r12, r2, r4\n"
        "smlad r10, r12, r3, r8\n smlad r7, lr, r2, r4\n smlad r11, lr, r3, r8\n"
        "ldrd r12, lr, [r1], #16\n smlad r5, lr, r2, r4\n smlad r9, lr, r3, r8\n"
        "smlad r4, r12, r2, r4\n smlad r8, r12, r3, r8\n ldr pc, [sp, #24]\n"
        "2:\n"
        ".rept 16\n"
        "ldr r2, [r0], #4\n ldrd r12, lr, [r1], #8\n sxtb16 r3, r2, ror #8\n sxtb16 r2, r2\n"
        "smlad r4, r12, r2, r4\n smlad r8, r12, r3, r8\n smlad r5, lr, r2, r5\n"
        "smlad r9, lr, r3, r9\n ldrd r12, lr, [r1], #8\n smlad r6, r12, r2, r6\n"
        "smlad r10, r12, r3, r10\n smlad r7, lr, r2, r7\n smlad r11, lr, r3, r11\n"
        ".endr\n"
        "3:\n"
        "ldr r2, [sp, #20]\n cmp r1, r2\n bne.w 2b\n"
        /* Requantize: twice the sum, high multiply plus rounding and zero point, shift, saturate.
         * A shift by a register looks at its lowest byte only. */
        "ldr r12, [r0], #4\n ldr r2, [r0], #4\n ldr r3, [sp, #16]\n lsl r3, r3, r12\n"
        "asr r3, r3, #1\n lsl r4, r4, #1\n lsl r5, r5, #1\n lsl r6, r6, #1\n"
        "lsl r7, r7, #1\n smmlar r4, r4, r2, r3\n smmlar r5, r5, r2, r3\n"
        "smmlar r6, r6, r2, r3\n smmlar r7, r7, r2, r3\n asr r4, r4, r12\n asr r5, r5, r12\n"
        "asr r6, r6, r12\n asr r7, r7, r12\n ssat r4, #8, r4\n ssat r5, #8, r5\n"
        "ssat r6, #8, r6\n ssat r7, #8, r7\n lsr r12, r12, #8\n ldr r2, [r0], #4\n"
        "ldr r3, [sp, #16]\n lsl r3, r3, r12\n asr r3, r3, #1\n lsl r8, r8, #1\n"
        "lsl r9, r9, #1\n lsl r10, r10, #1\n lsl r11, r11, #1\n smmlar r8, r8, r2, r3\n"
        "smmlar r9, r9, r2, r3\n smmlar r10, r10, r2, r3\n smmlar r11, r11, r2, r3\n"
        "asr r8, r8, r12\n asr r9, r9, r12\n asr r10, r10, r12\n asr r11, r11, r12\n"
        "ssat r8, #8, r8\n ssat r9, #8, r9\n ssat r10, #8, r10\n ssat r11, #8, r11\n"
        "bfi r4, r8, #8, #8\n bfi r5, r9, #8, #8\n bfi r6, r10, #8, #8\n bfi r7, r11, #8, #8\n"
        "ldrd lr, r1, [sp, #4]\n add r2, lr, #2\n str r2, [sp, #4]\n ldr r3, [sp, #12]\n"
        "strh r4, [lr]\n strh r5, [lr, r1]\n strh r6, [lr, r1, lsl #1]\n add lr, lr, r1\n"
        "strh r7, [lr, r1, lsl #1]\n cmp r2, r3\n bne.w 1b\n add sp, sp, #28\n"
        "pop {r4-r11}\n"
        : "+r"(r0)
        :
        : "r1", "r2", "r3", "r12", "lr", "cc", "memory");
}

/* Widen the windows of four pixels: 15 instructions for 16 bytes. */
static __attribute__((noinline)) void widen4(const windows *from)
{
    register const windows *r0 __asm__("r0") = from;
    __asm__ volatile(".syntax unified\n"
                     "push {r4-r11}\n"
                     "add r4, r0, #20\n ldm r4, {r5-r10}\n push {r5-r10}\n"
                     "ldr r12, [r0, #16]\n ldm r0, {r0-r3}\n"
                     "0:\n"
                     "ldr lr, [sp]\n cmp lr, #0\n beq 2f\n"
                     "1:\n"
                     "ldr r4, [r0], #4\n ldr r5, [r1], #4\n ldr r6, [r2], #4\n ldr r7, [r3], #4\n"
                     "sxtb16 r8, r4, ror #8\n sxtb16 r9, r5, ror #8\n sxtb16 r10, r6, ror #8\n"
                     "sxtb16 r11, r7, ror #8\n sxtb16 r4, r4\n sxtb16 r5, r5\n sxtb16 r6, r6\n"
                     "sxtb16 r7, r7\n stm r12!, {r4-r11}\n subs lr, lr, #1\n bne 1b\n"
                     "2:\n"
                     "ldr lr, [sp, #4]\n cmp lr, #1\n blt 4f\n beq 3f\n"
                     "ldrsb r4, [r0], #1\n ldrsb r8, [r0], #1\n pkhbt r4, r4, r8, lsl #16\n"
                     "ldrsb r5, [r1], #1\n ldrsb r8, [r1], #1\n pkhbt r5, r5, r8, lsl #16\n"
                     "ldrsb r6, [r2], #1\n ldrsb r8, [r2], #1\n pkhbt r6, r6, r8, lsl #16\n"
                     "ldrsb r7, [r3], #1\n ldrsb r8, [r3], #1\n pkhbt r7, r7, r8, lsl #16\n"
                     "stm r12!, {r4-r7}\n cmp lr, #2\n beq 4f\n"
                     "3:\n"
                     "ldrsb r4, [r0], #1\n ldrsb r5, [r1], #1\n ldrsb r6, [r2], #1\n"
                     "ldrsb r7, [r3], #1\n stm r12!, {r4-r7}\n"
                     "4:\n"
                     "ldr r4, [sp, #20]\n subs r4, r4, #1\n str r4, [sp, #20]\n beq 5f\n"
                     "ldrd r4, r5, [sp, #8]\n ldr r6, [sp, #16]\n"
                     "add r0, r0, r4\n cmp r0, r5\n it cs\n subcs r0, r0, r6\n"
                     "add r1, r1, r4\n cmp r1, r5\n it cs\n subcs r1, r1, r6\n"
                     "add r2, r2, r4\n cmp r2, r5\n it cs\n subcs r2, r2, r6\n"
                     "add r3, r3, r4\n cmp r3, r5\n it cs\n subcs r3, r3, r6\n"
                     "b 0b\n"
                     "5:\n"
                     "add sp, sp, #24\n pop {r4-r11}\n"
                     : "+r"(r0)
                     :
                     : "r1", "r2", "r3", "r12", "lr", "cc", "memory");
}

#else

static void widen4(const windows *from)
{
    const int32_t pairs = 2 * from->words + (from->rest + 1) / 2;
    for (int32_t t = 0; t < 4; t++) {
        const int8_t *at = from->at[t];
        for (int32_t u = 0; u < from->rows; u++) {
            int32_t *strip = from->strip + 4 * u * pairs + t;
            for (int32_t k = 0; k < from->words; k++, at += 4, strip += 8) {
                const uint32_t word = nsk_load4(at);
                strip[0] = (int32_t)nsk_even(word);
                strip[4] = (int32_t)nsk_odd(word);
            }
            for (int32_t k = 0; k < from->rest; k += 2, strip += 4) {
                strip[0] = (int32_t)nsk_lanes(at[k], k + 1 < from->rest ? at[k + 1] : 0);
            }
            if (u + 1 < from->rows) {
                at += from->rest + from->move;
                at -= at >= from->end ? from->size : 0;
            }
        }
    }
}

#endif

/* One channel of a couple (which = 0 or 1) over one pixel of a strip of so many pixels. */
static int8_t multiply1(const product *task, const int32_t *weights, int32_t which, int32_t pixels)
{
    const int32_t *lanes = task->strip;
    const int32_t *tail = weights + 2 + task->pairs;
    int32_t sum = weights[which];
    const int32_t right = (tail[0] >> (8 * which)) & 255;
    for (const int32_t *word = weights + 2; word != tail; word++, lanes += pixels) {
        const uint32_t pair = which ? nsk_odd((uint32_t)*word) : nsk_even((uint32_t)*word);
        sum = nsk_dual((uint32_t)*lanes, pair, sum);
    }
    const int32_t round = task->twice_zero * (INT32_C(1) << right) >> 1;
    return nsk_saturate8(nsk_high_plus(2 * sum, tail[1 + which], round) >> right);
}

/* Both channels of a couple over a strip of one pixel. */
static void multiply2(const product *task, const int32_t *weights, int8_t *y)
{
    const int32_t *lanes = task->strip;
    const int32_t *tail = weights + 2 + task->pairs;
    int32_t a = weights[0], b = weights[1];
    for (const int32_t *word = weights + 2; word != tail; word++, lanes++) {
        a = nsk_dual((uint32_t)*lanes, nsk_even((uint32_t)*word), a);
        b = nsk_dual((uint32_t)*lanes, nsk_odd((uint32_t)*word), b);
    }
    const int32_t right = tail[0] & 255, other = tail[0] >> 8;
    const int32_t round = task->twice_zero * (INT32_C(1) << right) >> 1;
    const int32_t next = task->twice_zero * (INT32_C(1) << other) >> 1;
    y[0] = nsk_saturate8(nsk_high_plus(2 * a, tail[1], round) >> right);
    y[1] = nsk_saturate8(nsk_high_plus(2 * b, tail[2], next) >> other);
}

/* All output channels of the strip's pixels. */
static void multiply(const product *task, int32_t pixels, int32_t channels)
{
    const int32_t size = task->pairs + 5;
    const int32_t *weights = task->weights;
    product part = *task;
#ifdef NSK_DSP
    if (pixels == 4 && channels > 1) {
        multiply4(task);
        weights += (channels >> 1) * size;
    } else
#endif
    {
        for (int32_t k = 0; k + 1 < channels; k += 2, weights += size) {
            if (pixels == 1) {
                multiply2(task, weights, task->y + k);
                continue;
            }
            for (int32_t t = 0; t < pixels; t++) {
                part.strip = task->strip + t;
                task->y[t * task->stride + k] = multiply1(&part, weights, 0, pixels);
                task->y[t * task->stride + k + 1] = multiply1(&part, weights, 1, pixels);
            }
        }
    }
    if (channels & 1) {
        for (int32_t t = 0; t < pixels; t++) {
            part.strip = task->strip + t;
            task->y[t * task->stride + channels - 1] = multiply1(&part, weights, 0, pixels);
        }
    }
}

#endif
