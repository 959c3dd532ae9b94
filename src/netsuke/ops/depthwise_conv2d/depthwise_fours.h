/* Depthwise convolution with any window: four outputs of a row at a time, for Armv7E-M DSP; plain C
 * elsewhere. What the words are, depthwise_conv2d_s8_dsp_any.c says.
 */
#ifndef NSK_DEPTHWISE_FOURS_H
#define NSK_DEPTHWISE_FOURS_H

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
} nsk_fours;

#ifdef NSK_DSP

/* Sums in r4-r7; r8 and r9 are free. */
#define NSK_FOURS_STORE                                                                            \
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
#define NSK_FOURS_SHARED(now, next)                                                                \
    "ldrd r8, r9, [r0], #8\n"                                                                      \
    "ldr.w " next ", [r1], #4\n"                                                                   \
    "smlad r4, " now ", r8, r4\n"                                                                  \
    "smlad r5, " now ", r9, r5\n"                                                                  \
    "smlad r6, " next ", r8, r6\n"                                                                 \
    "smlad r7, " next ", r9, r7\n"

/* Fours of neighbouring outputs: 6 instructions for 8 products. r2 down, r12 entry into the chain of
 * eight steps, which may be an odd one: so the first word is in both registers. */
static NSK_NOINLINE void nsk_fours_shared(const nsk_fours *given)
{
    register const nsk_fours *r0 __asm__("r0") = given;
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
                     ".balign 4\n" NSK_FOURS_SHARED("r10", "r11") NSK_FOURS_SHARED("r11", "r10")
                         NSK_FOURS_SHARED("r10", "r11") NSK_FOURS_SHARED("r11", "r10")
                             NSK_FOURS_SHARED("r10", "r11") NSK_FOURS_SHARED("r11", "r10")
                                 NSK_FOURS_SHARED("r10", "r11")
                                     NSK_FOURS_SHARED("r11", "r10") "3:\n"
                                                                    "add r1, r1, r2\n"
                                                                    "subs r3, r3, #1\n"
                                                                    "bne.w 2b\n" NSK_FOURS_STORE
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

#define NSK_FOURS_APART                                                                            \
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
static NSK_NOINLINE void nsk_fours_apart(const nsk_fours *given)
{
    register const nsk_fours *r0 __asm__("r0") = given;
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
                     ".rept 8\n" NSK_FOURS_APART ".endr\n"
                     "3:\n"
                     "ldr r8, [sp, #20]\n"
                     "add r1, r1, r8\n"
                     "subs r3, r3, #1\n"
                     "bne.w 2b\n" NSK_FOURS_STORE "add r1, r1, r2, lsl #2\n"
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
static int8_t nsk_fours_window(const nsk_fours *t, const int16_t *x, const uint32_t *pairs,
                               int32_t each)
{
    int32_t sum = t->twice_bias;
    for (int32_t u = 0; u < t->rows; u++, x += t->down / 2) {
        for (int32_t i = 0; i < t->steps; i++, x += 2, pairs += each) {
            sum = nsk_dual(nsk_lanes(x[0], x[1]), *pairs, sum);
        }
    }
    return nsk_saturate8(nsk_high_plus(sum, t->multiplier, t->round) >> t->right);
}

static NSK_NOINLINE void nsk_fours_apart(const nsk_fours *given)
{
    nsk_fours t = *given;
    for (int32_t i = 0; i < 4 * t.fours; i++) {
        t.y[i * t.step] = nsk_fours_window(&t, t.x + i * (t.apart / 2), t.pairs, 1);
    }
}

static NSK_NOINLINE void nsk_fours_shared(const nsk_fours *given)
{
    nsk_fours t = *given;
    t.down += 4; /* the word that the last two outputs see */
    for (int32_t i = 0; i < 4 * t.fours; i++) {
        t.y[i * t.step] = nsk_fours_window(&t, t.x + (i & ~1), t.pairs + (i & 1), 2);
    }
}

#endif

#endif
