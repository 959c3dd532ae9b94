/* Lists of nsk_sparse.h on Armv7E-M DSP; plain C elsewhere. The shift is a right shift here.
 *
 * One pixel: 15 instructions for four entries with gaps of 8 bits, 32 for eight with gaps of 4 bits.
 * Four pixels at a time: 42 instructions for four entries. The requantization is that of couples.py.
 */
#ifndef NSK_SPARSE_DSP_H
#define NSK_SPARSE_DSP_H

#include "nsk_dsp.h"
#include "nsk_fixed.h"
#include "nsk_sparse.h"

/* All units of one pixel; the assembler below knows the order. */
typedef struct {
    const int32_t *units;
    const int8_t *x;
    int8_t *y, *end;
    int32_t twice_zero; /* 2 * output zero point + 1 */
} nsk_sparse_one;

/* All units of four pixels; the others' inputs lie `second`, `third`, `fourth` bytes behind x. */
typedef struct {
    const int32_t *units;
    const int8_t *x;
    int32_t second, third, fourth;
    int32_t count; /* of units, and bytes from a pixel's outputs to the next one's */
    int8_t *y, *end;
    int32_t twice_zero;
} nsk_sparse_four_pixels;

static inline int8_t nsk_sparse_store(int32_t sum, const int32_t *unit, int32_t twice_zero)
{
    const int32_t right = nsk_sparse_shift(unit);
    const int32_t round = twice_zero * (INT32_C(1) << right) >> 1;
    return nsk_saturate8(nsk_high_plus(2 * sum, unit[1], round) >> right);
}

/* Clamp outputs, where the clamp is narrower than int8. */
static inline void nsk_sparse_clamp(int8_t *y, int32_t count, int32_t low, int32_t high)
{
    if (low > -128 || high < 127) {
        for (int8_t *const end = y + count; y != end; y++) {
            *y = (int8_t)nsk_clamp(*y, low, high);
        }
    }
}

#ifdef NSK_DSP

/* x in r1, gaps in r2, even weights in lr, odd ones in r3, sum in r4. */
#define NSK_SPARSE_FOUR                                                                            \
    "ldrd r2, r3, [r0], #8\n"                                                                      \
    "uxtab r1, r1, r2\n"                                                                           \
    "ldrsb.w r9, [r1]\n"                                                                           \
    "uxtab r1, r1, r2, ror #8\n"                                                                   \
    "ldrsb.w r10, [r1]\n"                                                                          \
    "sxtb16 lr, r3\n"                                                                              \
    "sxtb16 r3, r3, ror #8\n"                                                                      \
    "smlabb r4, r9, lr, r4\n"                                                                      \
    "smlabb r4, r10, r3, r4\n"                                                                     \
    "uxtab r1, r1, r2, ror #16\n"                                                                  \
    "ldrsb.w r9, [r1]\n"                                                                           \
    "uxtab r1, r1, r2, ror #24\n"                                                                  \
    "ldrsb.w r10, [r1]\n"                                                                          \
    "smlabt r4, r9, lr, r4\n"                                                                      \
    "smlabt r4, r10, r3, r4\n"

/* Four of eight entries: gaps in r10, even weights in r8, odd ones in r3. */
#define NSK_SPARSE_NIBBLES                                                                         \
    "uxtab r1, r1, r10\n"                                                                          \
    "ldrsb.w r9, [r1]\n"                                                                           \
    "uxtab r1, r1, r10, ror #8\n"                                                                  \
    "smlabb r4, r9, r8, r4\n"                                                                      \
    "ldrsb.w r9, [r1]\n"                                                                           \
    "uxtab r1, r1, r10, ror #16\n"                                                                 \
    "smlabb r4, r9, r3, r4\n"                                                                      \
    "ldrsb.w r9, [r1]\n"                                                                           \
    "uxtab r1, r1, r10, ror #24\n"                                                                 \
    "smlabt r4, r9, r8, r4\n"                                                                      \
    "ldrsb.w r9, [r1]\n"                                                                           \
    "smlabt r4, r9, r3, r4\n"

/* r4-r5, r6 the output, r7 the shift in its lowest byte, r8 twice_zero, r12 the multiplier. */
#define NSK_SPARSE_UNIT                                                                            \
    "lsl r9, r8, r7\n"                                                                             \
    "asr r9, r9, #1\n"                                                                             \
    "lsl r4, r4, #1\n"                                                                             \
    "smmlar r4, r4, r12, r9\n"                                                                     \
    "asr r4, r4, r7\n"                                                                             \
    "ssat r4, #8, r4\n"                                                                            \
    "strb r4, [r6], #1\n"

/* An odd number of groups enters the loop, which takes two, in its middle. */
static NSK_NOINLINE void nsk_sparse_one8(const nsk_sparse_one *task)
{
    register const nsk_sparse_one *r0 __asm__("r0") = task;
    __asm__ volatile(".syntax unified\n"
                     "push {r4-r11}\n"
                     "ldm r0, {r0, r5, r6, r7, r8}\n"
                     "push {r7}\n"
                     "1:\n"
                     "ldm r0!, {r4, r12}\n"
                     "ldr r7, [r0], #4\n"
                     "mov r1, r5\n"
                     "add r11, r0, r7, lsr #5\n" /* shifts are below 32 */
                     "lsls r9, r7, #23\n"
                     "bmi.w 3f\n"
                     "b.w 4f\n"
                     "2:\n" NSK_SPARSE_FOUR "3:\n" NSK_SPARSE_FOUR "4:\n"
                     "cmp r0, r11\n"
                     "bne.w 2b\n" NSK_SPARSE_UNIT "ldr r9, [sp]\n"
                     "cmp r6, r9\n"
                     "bne.w 1b\n"
                     "add sp, sp, #4\n"
                     "pop {r4-r11}\n"
                     : "+r"(r0)
                     :
                     : "r1", "r2", "r3", "r12", "lr", "cc", "memory");
}

static NSK_NOINLINE void nsk_sparse_one4(const nsk_sparse_one *task)
{
    register const nsk_sparse_one *r0 __asm__("r0") = task;
    __asm__ volatile(".syntax unified\n"
                     "push {r4-r11}\n"
                     "ldm r0, {r0, r5, r6, r7, r8}\n"
                     "push {r7, r8}\n"
                     "1:\n"
                     "ldm r0!, {r4, r12}\n"
                     "ldr r7, [r0], #4\n"
                     "mov r1, r5\n"
                     "lsr r9, r7, #8\n"
                     "add r9, r9, r9, lsl #1\n"
                     "add r11, r0, r9, lsl #2\n"
                     "b.w 4f\n"
                     "2:\n"
                     "ldm r0!, {r2, r3, lr}\n"
                     "and r10, r2, #0x0f0f0f0f\n"
                     "sxtb16 r8, r3\n"
                     "sxtb16 r3, r3, ror #8\n" NSK_SPARSE_NIBBLES "lsr r2, r2, #4\n"
                     "and r10, r2, #0x0f0f0f0f\n"
                     "sxtb16 r8, lr\n"
                     "sxtb16 r3, lr, ror #8\n" NSK_SPARSE_NIBBLES "4:\n"
                     "cmp r0, r11\n"
                     "bne.w 2b\n"
                     "ldr r8, [sp, #4]\n" NSK_SPARSE_UNIT "ldr r9, [sp]\n"
                     "cmp r6, r9\n"
                     "bne.w 1b\n"
                     "add sp, sp, #8\n"
                     "pop {r4-r11}\n"
                     : "+r"(r0)
                     :
                     : "r1", "r2", "r3", "r12", "lr", "cc", "memory");
}

/* One entry of four pixels: its weight is the half `half` of the register `w`. */
#define NSK_SPARSE_PIXELS(turn, half, w)                                                           \
    "uxtab r1, r1, r9" turn "\n"                                                                   \
    "ldrsb.w r12, [r1]\n"                                                                          \
    "ldrsb.w lr, [r1, r2]\n"                                                                       \
    "smlab" half " r5, r12, " w ", r5\n"                                                           \
    "smlab" half " r6, lr, " w ", r6\n"                                                            \
    "ldrsb.w r12, [r1, r3]\n"                                                                      \
    "ldrsb.w lr, [r1, r4]\n"                                                                       \
    "smlab" half " r7, r12, " w ", r7\n"                                                           \
    "smlab" half " r8, lr, " w ", r8\n"

#define NSK_SPARSE_PIXEL(sum)                                                                      \
    "lsl " sum ", " sum ", #1\n"                                                                   \
    "smmlar " sum ", " sum ", r9, r11\n"                                                           \
    "asr " sum ", " sum ", r10\n"                                                                  \
    "ssat " sum ", #8, " sum "\n"

/* On the stack: end of the unit, multiplier, shift, x, count, y, end, twice_zero. */
static NSK_NOINLINE void nsk_sparse_four8(const nsk_sparse_four_pixels *task)
{
    register const nsk_sparse_four_pixels *r0 __asm__("r0") = task;
    __asm__ volatile(".syntax unified\n"
                     "push {r4-r11}\n"
                     "ldm r0, {r0, r1, r2, r3, r4, r5, r6, r7, r8}\n"
                     "push {r1, r5, r6, r7, r8}\n"
                     "sub sp, sp, #12\n"
                     "1:\n"
                     "ldm r0!, {r5, r9, r10}\n"
                     "add r12, r0, r10, lsr #5\n"
                     "str r12, [sp]\n"
                     "strd r9, r10, [sp, #4]\n"
                     "ldr r1, [sp, #12]\n"
                     "mov r6, r5\n"
                     "mov r7, r5\n"
                     "mov r8, r5\n"
                     "b.w 4f\n"
                     "2:\n"
                     "ldrd r9, r10, [r0], #8\n"
                     "sxtb16 r11, r10\n"
                     "sxtb16 r10, r10, ror #8\n" /* clang-format off */
                     NSK_SPARSE_PIXELS("", "b", "r11")
                     NSK_SPARSE_PIXELS(", ror #8", "b", "r10")
                     NSK_SPARSE_PIXELS(", ror #16", "t", "r11")
                     NSK_SPARSE_PIXELS(", ror #24", "t", "r10") /* clang-format on */
                     "ldr r12, [sp]\n"
                     "4:\n"
                     "cmp r0, r12\n"
                     "bne.w 2b\n"
                     "ldrd r9, r10, [sp, #4]\n"
                     "ldr r11, [sp, #28]\n"
                     "lsl r11, r11, r10\n"
                     "asr r11, r11, #1\n" /* clang-format off */
                     NSK_SPARSE_PIXEL("r5") NSK_SPARSE_PIXEL("r6")
                     NSK_SPARSE_PIXEL("r7") NSK_SPARSE_PIXEL("r8") /* clang-format on */
                     "ldr r12, [sp, #16]\n"
                     "ldrd r1, r9, [sp, #20]\n"
                     "strb.w r6, [r1, r12]\n"
                     "add lr, r1, r12, lsl #1\n"
                     "strb.w r7, [lr]\n"
                     "strb.w r8, [lr, r12]\n"
                     "strb r5, [r1], #1\n"
                     "str r1, [sp, #20]\n"
                     "cmp r1, r9\n"
                     "bne.w 1b\n"
                     "add sp, sp, #32\n"
                     "pop {r4-r11}\n"
                     : "+r"(r0)
                     :
                     : "r1", "r2", "r3", "r12", "lr", "cc", "memory");
}

#else

static inline void nsk_sparse_one8(const nsk_sparse_one *task)
{
    const int32_t *unit = task->units;
    for (int8_t *y = task->y; y != task->end; unit += 3 + 2 * nsk_sparse_groups(unit)) {
        *y++ = nsk_sparse_store(nsk_sparse_sum8(unit, task->x), unit, task->twice_zero);
    }
}

static inline void nsk_sparse_one4(const nsk_sparse_one *task)
{
    const int32_t *unit = task->units;
    for (int8_t *y = task->y; y != task->end; unit += 3 + 3 * nsk_sparse_groups(unit)) {
        *y++ = nsk_sparse_store(nsk_sparse_sum4(unit, task->x), unit, task->twice_zero);
    }
}

static inline void nsk_sparse_four8(const nsk_sparse_four_pixels *task)
{
    const int32_t behind[4] = {0, task->second, task->third, task->fourth};
    for (int32_t pixel = 0; pixel < 4; pixel++) {
        int8_t *const y = task->y + pixel * task->count;
        const nsk_sparse_one one = {task->units, task->x + behind[pixel], y, y + task->count,
                                    task->twice_zero};
        nsk_sparse_one8(&one);
    }
}

#endif

#endif
