/* Inner products of int8 vectors in register blocks, for cores without SIMD.
 *
 * The loops need every register that a core has, so each is a function of its own.
 */
#ifndef NSK_DOT_H
#define NSK_DOT_H

#include "nsk_fixed.h"

#include <stdint.h>

/* sum[0] += x0 . w0, sum[1] += x0 . w1, sum[2] += x1 . w0, sum[3] += x1 . w1 */
typedef struct {
    const int8_t *x0, *x1, *w0, *w1;
    int32_t length;
    int32_t sum[4];
} nsk_dot;

#if defined(__GNUC__) && (defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__))

/* 57 instructions for 16 products: r0-r3 the ends of the vectors, r4 minus the bytes that are left,
 * r8-r11 the sums. */
static NSK_NOINLINE void nsk_dot2x2(nsk_dot *task)
{
    register nsk_dot *r0 __asm__("r0") = task;
    __asm__ volatile(".syntax unified\n"
                     ".macro nsk_step\n"
                     "ldrsb r5, [r0, r4]\n"
                     "ldrsb r6, [r2, r4]\n"
                     "mov r7, r5\n"
                     "muls r7, r6, r7\n"
                     "add r8, r8, r7\n"
                     "ldrsb r7, [r3, r4]\n"
                     "muls r5, r7, r5\n"
                     "add r9, r9, r5\n"
                     "ldrsb r5, [r1, r4]\n"
                     "muls r6, r5, r6\n"
                     "add r10, r10, r6\n"
                     "muls r7, r5, r7\n"
                     "add r11, r11, r7\n"
                     "adds r4, r4, #1\n"
                     ".endm\n"
                     "push {r4-r7}\n"
                     "mov r4, r8\n"
                     "mov r5, r9\n"
                     "mov r6, r10\n"
                     "mov r7, r11\n"
                     "push {r4-r7}\n"
                     "mov r12, r0\n"
                     "adds r0, #20\n"
                     "ldm r0!, {r4-r7}\n"
                     "mov r8, r4\n"
                     "mov r9, r5\n"
                     "mov r10, r6\n"
                     "mov r11, r7\n"
                     "mov r0, r12\n"
                     "ldm r0, {r0-r4}\n"
                     "adds r0, r0, r4\n"
                     "adds r1, r1, r4\n"
                     "adds r2, r2, r4\n"
                     "adds r3, r3, r4\n"
                     "rsbs r4, r4, #0\n"
                     "b 2f\n"
                     "1:\n"
                     "nsk_step\n"
                     "2:\n"
                     "lsls r5, r4, #30\n"
                     "bne 1b\n"
                     "cmp r4, #0\n"
                     "beq 4f\n"
                     "3:\n"
                     "nsk_step\n"
                     "nsk_step\n"
                     "nsk_step\n"
                     "nsk_step\n"
                     "bne 3b\n"
                     "4:\n"
                     ".purgem nsk_step\n"
                     "mov r0, r12\n"
                     "adds r0, #20\n"
                     "mov r4, r8\n"
                     "mov r5, r9\n"
                     "mov r6, r10\n"
                     "mov r7, r11\n"
                     "stm r0!, {r4-r7}\n"
                     "pop {r4-r7}\n"
                     "mov r8, r4\n"
                     "mov r9, r5\n"
                     "mov r10, r6\n"
                     "mov r11, r7\n"
                     "pop {r4-r7}\n"
                     : "+r"(r0)
                     :
                     : "r1", "r2", "r3", "r12", "cc", "memory");
}

#else

static NSK_NOINLINE void nsk_dot2x2(nsk_dot *task)
{
    const int8_t *x0 = task->x0, *x1 = task->x1, *w0 = task->w0, *w1 = task->w1;
    const int8_t *const end = x0 + task->length;
    int32_t sum0 = task->sum[0], sum1 = task->sum[1], sum2 = task->sum[2], sum3 = task->sum[3];
    while (x0 != end) {
        const int32_t a = *x0++, b = *x1++, c = *w0++, d = *w1++;
        sum0 += a * c;
        sum1 += a * d;
        sum2 += b * c;
        sum3 += b * d;
    }
    task->sum[0] = sum0;
    task->sum[1] = sum1;
    task->sum[2] = sum2;
    task->sum[3] = sum3;
}

#endif

/* sum[0] += (x0 - zero) . w0, sum[1] += (x0 - zero) . w1 */
static NSK_NOINLINE void nsk_dot1x2(nsk_dot *task, int32_t zero)
{
    const int8_t *x0 = task->x0, *w0 = task->w0, *w1 = task->w1;
    const int8_t *const end = x0 + task->length;
    int32_t sum0 = task->sum[0], sum1 = task->sum[1];
    while (x0 != end) {
        const int32_t a = *x0++ - zero, c = *w0++, d = *w1++;
        sum0 += a * c;
        sum1 += a * d;
    }
    task->sum[0] = sum0;
    task->sum[1] = sum1;
}

#endif
