/* Fully connected layer, int8, portable C99, for 32-bit cores without SIMD. See dense.h.
 *
 * Four units at a time share each element of x. The last four may be some of the last but one, too:
 * there are at least four units. The requantization is that of nsk_pairs.h.
 */
#include "dense.h"
#include "nsk_pairs.h"

/* Inner products of one vector with four; the assembler below knows the order. */
typedef struct {
    const int8_t *x, *w0, *w1, *w2, *w3;
    int32_t length;
    int32_t sum[4];
} dots;

#if defined(__GNUC__) && (defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__))

/* 14 instructions for four products: r0-r4 the ends of the vectors, r5 minus the bytes that are
 * left, r8-r11 the sums. */
static NSK_NOINLINE void multiply(dots *task)
{
    register dots *r0 __asm__("r0") = task;
    __asm__ volatile(".syntax unified\n"
                     ".macro nsk_step\n"
                     "ldrsb r6, [r0, r5]\n"
                     "ldrsb r7, [r1, r5]\n muls r7, r6, r7\n add r8, r7\n"
                     "ldrsb r7, [r2, r5]\n muls r7, r6, r7\n add r9, r7\n"
                     "ldrsb r7, [r3, r5]\n muls r7, r6, r7\n add r10, r7\n"
                     "ldrsb r7, [r4, r5]\n muls r7, r6, r7\n add r11, r7\n"
                     "adds r5, r5, #1\n"
                     ".endm\n"
                     "push {r4-r7}\n"
                     "mov r4, r8\n mov r5, r9\n mov r6, r10\n mov r7, r11\n"
                     "push {r0, r4-r7}\n"
                     "adds r0, #24\n ldm r0!, {r4-r7}\n"
                     "mov r8, r4\n mov r9, r5\n mov r10, r6\n mov r11, r7\n"
                     "subs r0, #40\n ldm r0, {r0-r5}\n"
                     "adds r0, r0, r5\n adds r1, r1, r5\n adds r2, r2, r5\n adds r3, r3, r5\n"
                     "adds r4, r4, r5\n rsbs r5, r5, #0\n"
                     "b 2f\n"
                     "1:\n"
                     "nsk_step\n"
                     "2:\n"
                     "lsls r6, r5, #30\n bne 1b\n"
                     "cmp r5, #0\n beq 4f\n"
                     "3:\n"
                     "nsk_step\n nsk_step\n nsk_step\n nsk_step\n"
                     "bne 3b\n"
                     "4:\n"
                     ".purgem nsk_step\n"
                     "pop {r0}\n adds r0, #24\n"
                     "mov r4, r8\n mov r5, r9\n mov r6, r10\n mov r7, r11\n"
                     "stm r0!, {r4-r7}\n"
                     "pop {r4-r7}\n mov r8, r4\n mov r9, r5\n mov r10, r6\n mov r11, r7\n"
                     "pop {r4-r7}\n"
                     : "+r"(r0)
                     :
                     : "r1", "r2", "r3", "cc", "memory");
}

#else

static NSK_NOINLINE void multiply(dots *task)
{
    const int8_t *x = task->x, *w0 = task->w0, *w1 = task->w1, *w2 = task->w2, *w3 = task->w3;
    const int8_t *const end = x + task->length;
    int32_t sum0 = task->sum[0], sum1 = task->sum[1], sum2 = task->sum[2], sum3 = task->sum[3];
    while (x != end) {
        const int32_t a = *x++;
        sum0 += a * *w0++;
        sum1 += a * *w1++;
        sum2 += a * *w2++;
        sum3 += a * *w3++;
    }
    task->sum[0] = sum0;
    task->sum[1] = sum1;
    task->sum[2] = sum2;
    task->sum[3] = sum3;
}

#endif

void nsk_dense_s8_fours(const nsk_dense_fours *p, const int8_t *x, const int8_t *w, int8_t *y)
{
    const int32_t depth = p->depth;
    dots task;
    task.length = depth;
    for (int32_t r = 0; r < p->rows; r++, x += depth, y += p->units) {
        task.x = x;
        for (int32_t k = 0; k < p->units; k += 4) {
            k = k + 4 <= p->units ? k : p->units - 4;
            const int32_t *scale = p->scale + 6 * k;
            task.w0 = w + k * depth;
            task.w1 = task.w0 + depth;
            task.w2 = task.w1 + depth;
            task.w3 = task.w2 + depth;
            for (int32_t n = 0; n < 4; n++) {
                task.sum[n] = scale[6 * n];
            }
            multiply(&task);
            for (int32_t n = 0; n < 4; n++) {
                y[k + n] = nsk_pairs_store((uint32_t)task.sum[n], scale + 6 * n + 1);
            }
        }
    }
}
