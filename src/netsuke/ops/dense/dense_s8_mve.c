/* Fully connected layer, int8, for MVE; plain C elsewhere. See dense.h and nsk_quads.h.
 *
 * Four units share each vector of x: 10 instructions for 64 multiply-accumulates, no scratch.
 */
#include "dense.h"
#include "nsk_quads.h"

#ifdef NSK_MVE

/* Sums are in r4, r6, r8, r10; r0 is x, r1 y, r2 the weights, r3 the depth, r5 the end of y. Lanes
 * behind the depth's end are neither loaded nor added. */
static NSK_NOINLINE void multiply(const nsk_quads *task, int32_t depth)
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

static void multiply(const nsk_quads *task, int32_t depth)
{
    nsk_quads_single(task, task->x0, depth, task->y0);
}

#endif

void nsk_dense_s8_mve(const nsk_dense_packed *p, const int8_t *x, const int32_t *w, int8_t *y)
{
    const int32_t whole = p->units & ~3, blocks = (p->depth + 15) / 16;
    for (int32_t r = 0; r < p->rows; r++, x += p->depth, y += p->units) {
        int8_t last[4];
        nsk_quads task = {x,         x,      (const int8_t *)w, y,      y,
                          y + whole, blocks, p->output_zero,    p->low, p->high};
        if (whole > 0) {
            multiply(&task, p->depth);
        }
        if (whole < p->units) {
            task.weights += whole / 4 * (64 * blocks + 48);
            task.y0 = last;
            task.end = last + 4;
            multiply(&task, p->depth);
            for (int32_t k = whole; k < p->units; k++) {
                y[k] = last[k - whole];
            }
        }
    }
}
