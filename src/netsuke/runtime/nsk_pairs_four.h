/* Products of four pixels with channels, two pixels in a word: see nsk_pairs.h. */
#ifndef NSK_PAIRS_FOUR_H
#define NSK_PAIRS_FOUR_H

#include "nsk_pairs.h"

typedef struct {
    const int32_t *strip;
    const int32_t *channels;
    int8_t *y;
    int32_t stride; /* bytes of y from one pixel to the next */
    int32_t count;  /* of channels */
    int32_t depth;  /* taps, a multiple of four; missing ones have no weight */
} nsk_pairs;

#if defined(__GNUC__) && (defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__))

/* 39 instructions for 16 products, or 31: r8 and r9 total and highs of pixels 0 and 1, r10 and r11
 * of pixels 2 and 3, r12 is 2^15, lr the end of the weights. */
static NSK_NOINLINE void nsk_pairs_four(const nsk_pairs *task)
{
    register const nsk_pairs *r0 __asm__("r0") = task;
    __asm__ volatile(".syntax unified\n"
                     ".macro nsk_close x, total, highs\n"
                     "add \\x, r12\n add \\total, \\x\n asrs \\x, \\x, #16\n add \\highs, \\x\n"
                     ".endm\n"
                     ".macro nsk_store sum\n" /* r1 end, r2-r6 low, high, a, c, b << 8 | s */
                     "cmp \\sum, r2\n bge 8f\n movs \\sum, r2\n"
                     "8:\n"
                     "cmp \\sum, r3\n ble 9f\n movs \\sum, r3\n"
                     "9:\n"
                     "lsrs r0, r6, #8\n muls r0, \\sum, r0\n asrs r0, r0, #12\n"
                     "muls \\sum, r4, \\sum\n adds \\sum, \\sum, r0\n adds \\sum, \\sum, r5\n"
                     "asrs \\sum, r6\n"
                     "mov r0, lr\n strb \\sum, [r0]\n add lr, r12\n"
                     ".endm\n"
                     "push {r4-r7}\n"
                     "mov r4, r8\n mov r5, r9\n mov r6, r10\n mov r7, r11\n"
                     "push {r4-r7}\n"
                     "sub sp, #24\n"
                     "ldm r0!, {r1-r3}\n str r1, [sp]\n str r2, [sp, #4]\n str r3, [sp, #8]\n"
                     "ldm r0!, {r1-r3}\n str r1, [sp, #12]\n"
                     "str r2, [sp, #16]\n str r3, [sp, #20]\n"
                     "1:\n"
                     "ldr r0, [sp]\n ldr r1, [sp, #4]\n"
                     "ldm r1!, {r4, r5}\n"
                     "ldr r6, [sp, #20]\n adds r6, r6, r1\n mov lr, r6\n"
                     "movs r6, #1\n lsls r6, r6, #15\n mov r12, r6\n"
                     "asrs r5, r5, #1\n"
                     "mov r8, r4\n mov r9, r5\n mov r10, r4\n mov r11, r5\n"
                     "bcs 3f\n"
                     "2:\n"
                     "ldm r1!, {r2}\n ldm r0!, {r4-r7}\n"
                     "sxtb r3, r2\n asrs r2, r2, #8\n muls r4, r3, r4\n muls r5, r3, r5\n"
                     "sxtb r3, r2\n asrs r2, r2, #8\n muls r6, r3, r6\n muls r7, r3, r7\n"
                     "adds r4, r4, r6\n adds r5, r5, r7\n"
                     "nsk_close r4, r8, r9\n nsk_close r5, r10, r11\n"
                     "ldm r0!, {r4-r7}\n"
                     "sxtb r3, r2\n asrs r2, r2, #8\n muls r4, r3, r4\n muls r5, r3, r5\n"
                     "muls r6, r2, r6\n muls r7, r2, r7\n"
                     "adds r4, r4, r6\n adds r5, r5, r7\n"
                     "nsk_close r4, r8, r9\n nsk_close r5, r10, r11\n"
                     "cmp r1, lr\n bne 2b\n"
                     "b 4f\n"
                     "3:\n"
                     "ldm r1!, {r2}\n ldm r0!, {r4-r7}\n"
                     "sxtb r3, r2\n asrs r2, r2, #8\n muls r4, r3, r4\n muls r5, r3, r5\n"
                     "sxtb r3, r2\n asrs r2, r2, #8\n muls r6, r3, r6\n muls r7, r3, r7\n"
                     "adds r4, r4, r6\n adds r5, r5, r7\n"
                     "ldm r0!, {r6, r7}\n"
                     "sxtb r3, r2\n asrs r2, r2, #8\n muls r6, r3, r6\n muls r7, r3, r7\n"
                     "adds r4, r4, r6\n adds r5, r5, r7\n"
                     "ldm r0!, {r6, r7}\n"
                     "muls r6, r2, r6\n muls r7, r2, r7\n"
                     "adds r4, r4, r6\n adds r5, r5, r7\n"
                     "nsk_close r4, r8, r9\n nsk_close r5, r10, r11\n"
                     "cmp r1, lr\n bne 3b\n"
                     "4:\n"
                     "ldr r0, [sp, #8]\n mov lr, r0\n adds r0, r0, #1\n str r0, [sp, #8]\n"
                     "ldr r0, [sp, #12]\n mov r12, r0\n"
                     "ldm r1!, {r2-r6}\n str r1, [sp, #4]\n"
                     "mov r7, r9\n lsls r7, r7, #16\n mov r0, r8\n subs r7, r0, r7\n"
                     "nsk_store r7\n"
                     "mov r7, r9\n nsk_store r7\n"
                     "mov r7, r11\n lsls r7, r7, #16\n mov r0, r10\n subs r7, r0, r7\n"
                     "nsk_store r7\n"
                     "mov r7, r11\n nsk_store r7\n"
                     "ldr r0, [sp, #16]\n subs r0, r0, #1\n str r0, [sp, #16]\n"
                     "beq 5f\n b 1b\n"
                     "5:\n"
                     ".purgem nsk_close\n .purgem nsk_store\n"
                     "add sp, #24\n"
                     "pop {r4-r7}\n"
                     "mov r8, r4\n mov r9, r5\n mov r10, r6\n mov r11, r7\n"
                     "pop {r4-r7}\n"
                     : "+r"(r0)
                     :
                     : "r1", "r2", "r3", "r12", "lr", "cc", "memory");
}

#else

/* Total and highs of pixels 0 and 1, then of pixels 2 and 3. */
typedef struct {
    uint32_t total0;
    int32_t highs0;
    uint32_t total1;
    int32_t highs1;
} nsk_pairs_sums;

#if defined(__GNUC__) && defined(__thumb2__)

/* 25 instructions for 16 products, or 21: r0 the strip, r1 the weights, r2 and r3 four weights and
 * one, r4-r7 words, r8-r11 sums, r12 2^15, lr the end of the weights. */
static NSK_NOINLINE void nsk_pairs_sum(const int32_t *strip, const int32_t *channel, int32_t depth,
                                       nsk_pairs_sums *sums)
{
    register const int32_t *r0 __asm__("r0") = strip;
    register const int32_t *r1 __asm__("r1") = channel;
    register int32_t r2 __asm__("r2") = depth;
    register nsk_pairs_sums *r3 __asm__("r3") = sums;
    __asm__ volatile(".syntax unified\n"
                     ".macro nsk_close\n"
                     "add r8, r8, r4\n add r9, r9, r4, asr #16\n"
                     "add r10, r10, r5\n add r11, r11, r5, asr #16\n"
                     ".endm\n"
                     "push {r3-r11}\n"
                     "ldrd r8, r9, [r1], #8\n add lr, r1, r2\n mov r12, #32768\n"
                     "movs r2, r9, lsl #31\n asr r9, r9, #1\n mov r10, r8\n mov r11, r9\n"
                     "bne 2f\n"
                     "1:\n"
                     "ldr r2, [r1], #4\n ldm r0!, {r4-r7}\n"
                     "sxtb r3, r2\n mla r4, r4, r3, r12\n mla r5, r5, r3, r12\n"
                     "sbfx r3, r2, #8, #8\n mla r4, r6, r3, r4\n mla r5, r7, r3, r5\n"
                     "nsk_close\n"
                     "ldm r0!, {r4-r7}\n"
                     "sbfx r3, r2, #16, #8\n mla r4, r4, r3, r12\n mla r5, r5, r3, r12\n"
                     "asr r3, r2, #24\n mla r4, r6, r3, r4\n mla r5, r7, r3, r5\n"
                     "nsk_close\n"
                     "cmp r1, lr\n bne 1b\n"
                     "b 3f\n"
                     "2:\n"
                     "ldr r2, [r1], #4\n ldm r0!, {r4-r7}\n"
                     "sxtb r3, r2\n mla r4, r4, r3, r12\n mla r5, r5, r3, r12\n"
                     "sbfx r3, r2, #8, #8\n mla r4, r6, r3, r4\n mla r5, r7, r3, r5\n"
                     "ldrd r6, r7, [r0], #8\n"
                     "sbfx r3, r2, #16, #8\n mla r4, r6, r3, r4\n mla r5, r7, r3, r5\n"
                     "ldrd r6, r7, [r0], #8\n"
                     "asr r3, r2, #24\n mla r4, r6, r3, r4\n mla r5, r7, r3, r5\n"
                     "nsk_close\n"
                     "cmp r1, lr\n bne 2b\n"
                     "3:\n"
                     ".purgem nsk_close\n"
                     "pop {r3}\n stm r3, {r8-r11}\n pop {r4-r11}\n"
                     : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
                     :
                     : "r12", "lr", "cc", "memory");
}

#else

static inline void nsk_pairs_close(int32_t group, uint32_t *total, int32_t *highs)
{
    *total += (uint32_t)group;
    *highs += group >> 16;
}

static NSK_NOINLINE void nsk_pairs_sum(const int32_t *strip, const int32_t *channel, int32_t depth,
                                       nsk_pairs_sums *sums)
{
    const int32_t *x = strip;
    const int8_t *w = (const int8_t *)(channel + 2);
    const int8_t *const end = w + depth;
    const int32_t more = 1 << 15;
    uint32_t total0 = (uint32_t)channel[0], total1 = total0;
    int32_t highs0 = channel[1] >> 1, highs1 = highs0;
    if (channel[1] & 1) {
        for (; w != end; w += 4, x += 8) {
            const int32_t w0 = w[0], w1 = w[1], w2 = w[2], w3 = w[3];
            nsk_pairs_close(x[0] * w0 + x[2] * w1 + x[4] * w2 + x[6] * w3 + more, &total0, &highs0);
            nsk_pairs_close(x[1] * w0 + x[3] * w1 + x[5] * w2 + x[7] * w3 + more, &total1, &highs1);
        }
    } else {
        for (; w != end; w += 4, x += 8) {
            const int32_t w0 = w[0], w1 = w[1], w2 = w[2], w3 = w[3];
            nsk_pairs_close(x[0] * w0 + x[2] * w1 + more, &total0, &highs0);
            nsk_pairs_close(x[1] * w0 + x[3] * w1 + more, &total1, &highs1);
            nsk_pairs_close(x[4] * w2 + x[6] * w3 + more, &total0, &highs0);
            nsk_pairs_close(x[5] * w2 + x[7] * w3 + more, &total1, &highs1);
        }
    }
    sums->total0 = total0;
    sums->highs0 = highs0;
    sums->total1 = total1;
    sums->highs1 = highs1;
}

#endif

static NSK_NOINLINE void nsk_pairs_four(const nsk_pairs *task)
{
    const int32_t *channel = task->channels;
    const int32_t stride = task->stride, depth = task->depth;
    int8_t *y = task->y;
    for (int32_t k = task->count; k > 0; k--, y++) {
        nsk_pairs_sums sums;
        nsk_pairs_sum(task->strip, channel, depth, &sums);
        channel += 2 + depth / 4;
        y[0] = nsk_pairs_store(sums.total0 - ((uint32_t)sums.highs0 << 16), channel);
        y[stride] = nsk_pairs_store((uint32_t)sums.highs0, channel);
        y[2 * stride] = nsk_pairs_store(sums.total1 - ((uint32_t)sums.highs1 << 16), channel);
        y[3 * stride] = nsk_pairs_store((uint32_t)sums.highs1, channel);
        channel += NSK_PAIRS_WORDS - 2;
    }
}

#endif

/* The first pixels of a strip, up to four. */
static inline void nsk_pairs_run(const nsk_pairs *task, int32_t pixels)
{
    if (pixels == 4) {
        nsk_pairs_four(task);
        return;
    }
    int8_t y[4];
    nsk_pairs one = *task;
    one.y = y;
    one.stride = 1;
    one.count = 1;
    for (int32_t k = 0; k < task->count; k++) {
        nsk_pairs_four(&one);
        for (int32_t t = 0; t < pixels; t++) {
            task->y[t * task->stride + k] = y[t];
        }
        one.channels += NSK_PAIRS_WORDS + task->depth / 4;
    }
}

#endif
