/* Products of two vectors with quads of channels at a time, see nsk_quads.h. */
#ifndef NSK_QUADS_PAIR_H
#define NSK_QUADS_PAIR_H

#include "nsk_quads.h"

#ifdef NSK_MVE

/* 14 instructions for 128 multiply-accumulates, and 28 for eight outputs. Sums of x0 are in r0, r2,
 * r4, r6, of x1 in r8, r10, r12, lr; r1 and r3 are y0 and y1, r5 the end of x0, r7 the weights, r9
 * and r11 x0 and x1. The chain of 8 steps is entered so that it ends with the vectors. */
static NSK_NOINLINE void nsk_quads_pair(const nsk_quads *task, int32_t depth)
{
    (void)depth;
    register const nsk_quads *r0 __asm__("r0") = task;
    __asm__ volatile(".syntax unified\n"
                     ".macro nsk_step op\n"
                     "vldrb.u8 q0, [r9], #16\n vldrb.u8 q2, [r7], #16\n"
                     "vldrb.u8 q1, [r11], #16\n vldrb.u8 q3, [r7], #16\n"
                     "\\op r0, q0, q2\n \\op r8, q1, q2\n vldrb.u8 q2, [r7], #16\n"
                     "\\op r2, q0, q3\n \\op r10, q1, q3\n vldrb.u8 q3, [r7], #16\n"
                     "\\op r4, q0, q2\n \\op r12, q1, q2\n \\op r6, q0, q3\n \\op lr, q1, q3\n"
                     ".endm\n"
                     ".balign 4\n" /* or adr, which counts in words, misses after linking */
                     "push {r4-r11}\n vpush {d8-d13}\n"
                     "ldrd r9, r11, [r0]\n ldrd r7, r1, [r0, #8]\n ldrd r4, r6, [r0, #24]\n"
                     "vdup.32 q6, r6\n ldrd r8, r10, [r0, #32]\n vdup.32 q4, r8\n vdup.32 q5, r10\n"
                     "ldrd r3, r8, [r0, #16]\n"
                     "add r5, r9, r4, lsl #4\n"
                     "subs r4, r4, #1\n adr r6, 3f\n beq 0f\n"
                     "sub r4, r4, #1\n and r4, r4, #7\n add r4, r4, #1\n"
                     "mov r2, #56\n mls r6, r4, r2, r6\n" /* bytes of a step */
                     "0:\n orr r6, r6, #1\n"              /* entry into the chain, Thumb */
                     "push {r6, r8}\n push {r9, r11}\n"
                     "1:\n"
                     "ldrd r9, r11, [sp]\n"
                     "nsk_step vmladav.s8\n"
                     "ldr pc, [sp, #8]\n"
                     ".balign 4\n"
                     "2:\n"
                     ".rept 8\n nsk_step vmladava.s8\n .endr\n"
                     "3:\n"
                     ".purgem nsk_step\n"
                     "cmp r9, r5\n bne.w 2b\n"
                     "vmov q0[2], q0[0], r0, r4\n vmov q0[3], q0[1], r2, r6\n"
                     "vmov q1[2], q1[0], r8, r12\n vmov q1[3], q1[1], r10, lr\n"
                     "vldrw.u32 q2, [r7], #16\n vldrw.u32 q3, [r7], #16\n"
                     "vadd.i32 q0, q0, q2\n vadd.i32 q1, q1, q2\n vldrw.u32 q2, [r7], #16\n"
                     "vqrdmulh.s32 q0, q0, q3\n vqrdmulh.s32 q1, q1, q3\n"
                     "vrshl.s32 q0, q0, q2\n vrshl.s32 q1, q1, q2\n"
                     "vadd.i32 q0, q0, q6\n vadd.i32 q1, q1, q6\n"
                     "vmax.s32 q0, q0, q4\n vmax.s32 q1, q1, q4\n"
                     "ldr r2, [sp, #12]\n"
                     "vmin.s32 q0, q0, q5\n vmin.s32 q1, q1, q5\n"
                     "vstrb.32 q0, [r1], #4\n vstrb.32 q1, [r3], #4\n"
                     "cmp r1, r2\n bne.w 1b\n"
                     "add sp, sp, #16\n vpop {d8-d13}\n pop {r4-r11}\n"
                     : "+r"(r0)
                     :
                     : "r1", "r2", "r3", "r12", "lr", "q0", "q1", "q2", "q3", "cc", "memory");
}

#else

static void nsk_quads_pair(const nsk_quads *task, int32_t depth)
{
    nsk_quads_single(task, task->x0, depth, task->y0);
    nsk_quads_single(task, task->x1, depth, task->y1);
}

#endif

#endif
