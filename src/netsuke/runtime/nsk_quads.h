/* Inner products of one or two int8 vectors with quads of output channels, for MVE; see nsk_mve.h.
 *
 * weights: for every four channels, `blocks` times the 16 weights of each channel in turn; four
 *          biases with the input zero point's share; four multipliers; four shifts, none above 0.
 *          Weights behind a vector's end are zeros, and so are the channels that are missing; a
 *          vector may be followed by any 15 bytes.
 *
 * VQRDMULH is nsk_high and VRSHL by a negative number nsk_rounding_right, for every int32.
 */
#ifndef NSK_QUADS_H
#define NSK_QUADS_H

#include "nsk_fixed.h"
#include "nsk_mve.h"

/* What a product needs; the assembler below knows the order. */
typedef struct {
    const int8_t *x0, *x1; /* two vectors, or the same one twice */
    const int8_t *weights;
    int8_t *y0, *y1; /* their outputs */
    int8_t *end;     /* y0 + channels, a multiple of four */
    int32_t blocks;  /* 16 bytes of a vector each */
    int32_t zero, low, high;
} nsk_quads;

#ifdef NSK_MVE

/* The vector x0 of `depth` bytes alone: 10 instructions for 64 multiply-accumulates. Sums are in r4,
 * r6, r8, r10; r0 is x, r1 y, r2 the weights, r3 the depth, r5 the end of y. Lanes behind the depth's
 * end are neither loaded nor added. */
static NSK_NOINLINE void nsk_quads_one(const nsk_quads *task, int32_t depth)
{
    register const nsk_quads *r0 __asm__("r0") = task;
    register int32_t r3 __asm__("r3") = depth;
    __asm__ volatile(".syntax unified\n"
                     "push {r4-r10}\n vpush {d8-d13}\n"
                     "ldrd r2, r1, [r0, #8]\n ldr r5, [r0, #20]\n"
                     "ldr r6, [r0, #28]\n vdup.32 q6, r6\n"
                     "ldrd r8, r10, [r0, #32]\n vdup.32 q4, r8\n vdup.32 q5, r10\n"
                     "ldr r0, [r0]\n"
                     "1:\n"
                     "mov r9, r0\n"
                     "mov r4, #0\n mov r6, #0\n mov r8, #0\n mov r10, #0\n"
                     "dlstp.8 lr, r3\n"
                     "2:\n"
                     "vldrb.u8 q0, [r9], #16\n vldrb.u8 q1, [r2], #16\n vmladava.s8 r4, q0, q1\n"
                     "vldrb.u8 q2, [r2], #16\n vmladava.s8 r6, q0, q2\n"
                     "vldrb.u8 q1, [r2], #16\n vmladava.s8 r8, q0, q1\n"
                     "vldrb.u8 q2, [r2], #16\n vmladava.s8 r10, q0, q2\n"
                     "letp lr, 2b\n"
                     "vmov q0[2], q0[0], r4, r8\n vmov q0[3], q0[1], r6, r10\n"
                     "vldrw.u32 q1, [r2], #16\n vldrw.u32 q2, [r2], #16\n"
                     "vadd.i32 q0, q0, q1\n vldrw.u32 q1, [r2], #16\n"
                     "vqrdmulh.s32 q0, q0, q2\n vrshl.s32 q0, q0, q1\n vadd.i32 q0, q0, q6\n"
                     "vmax.s32 q0, q0, q4\n vmin.s32 q0, q0, q5\n"
                     "vstrb.32 q0, [r1], #4\n"
                     "cmp r1, r5\n bne 1b\n"
                     "vpop {d8-d13}\n pop {r4-r10}\n"
                     : "+r"(r0), "+r"(r3)
                     :
                     : "r1", "r2", "lr", "q0", "q1", "q2", "q3", "cc", "memory");
}

#else

/* One vector of `depth` bytes. */
static inline void nsk_quads_single(const nsk_quads *task, const int8_t *x, int32_t depth,
                                    int8_t *y)
{
    const int8_t *w = task->weights;
    const int32_t count = (int32_t)(task->end - task->y0);
    for (int32_t k = 0; k < count; k += 4) {
        const int32_t sums = 64 * task->blocks;
        int32_t tail[12];
        memcpy(tail, w + sums, sizeof tail);
        for (int32_t c = 0; c < 4; c++) {
            int32_t sum = tail[c];
            for (int32_t i = 0; i < depth; i++) {
                sum += x[i] * w[i / 16 * 64 + 16 * c + i % 16];
            }
            y[k + c] =
                nsk_store_s8(sum, tail[4 + c], tail[8 + c], task->zero, task->low, task->high);
        }
        w += sums + (int32_t)sizeof tail;
    }
}

static inline void nsk_quads_one(const nsk_quads *task, int32_t depth)
{
    nsk_quads_single(task, task->x0, depth, task->y0);
}

#endif

/* All channels by such a product, also where they are no multiple of four; `end` is set here. */
static inline void nsk_quads_all(const nsk_quads *task, int32_t channels, int32_t depth,
                                 void (*product)(const nsk_quads *task, int32_t depth))
{
    const int32_t whole = channels & ~3;
    nsk_quads part = *task;
    part.end = part.y0 + whole;
    if (whole > 0) {
        product(&part, depth);
    }
    if (whole < channels) {
        int8_t last[2][4];
        part.weights += whole / 4 * (64 * part.blocks + 48);
        part.y0 = last[0];
        part.y1 = task->y1 == task->y0 ? last[0] : last[1];
        part.end = last[0] + 4;
        product(&part, depth);
        for (int32_t k = 0; k < channels - whole; k++) {
            task->y0[whole + k] = last[0][k];
            task->y1[whole + k] = part.y1[k];
        }
    }
}

#endif
