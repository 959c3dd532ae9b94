/* Addition, int8, same shapes, for MVE; plain C elsewhere. See add.h.
 *
 * The operand with the larger scale is multiplied by exactly 1/2, a shift; the other one by
 * multiplier_minor * 2^(-right_minor - 31). Ties of the shifts go away from zero: the sign bit of
 * the factor is added before the shift, which is the product's or makes no difference.
 */
#include "add.h"
#include "nsk_fixed.h"
#include "nsk_mve.h"

#ifdef NSK_MVE

/* 16 instructions for four elements: r0 major, r1 minor, r2 y, r4-r9 offset, round and negative
 * shift of the minor operand and of the sum. */
static NSK_NOINLINE void add(const nsk_add_plain *p, const int8_t *major, const int8_t *minor,
                             int8_t *y)
{
    const int32_t constants[] = {1 << 20,         p->multiplier_minor, 1 << 19,
                                 p->multiplier_y, p->offset_minor / 2, p->round_minor,
                                 -p->right_minor, p->offset_major / 2, p->round_y,
                                 -p->right_y};
    register const int8_t *r0 __asm__("r0") = major;
    register const int8_t *r1 __asm__("r1") = minor;
    register int8_t *r2 __asm__("r2") = y;
    register const int32_t *r3 __asm__("r3") = constants;
    register int32_t r12 __asm__("r12") = p->count;
    __asm__ volatile(".syntax unified\n"
                     "push {r4-r9}\n vpush {d8-d15}\n"
                     "ldm r3!, {r4-r7}\n"
                     "vdup.32 q4, r4\n vdup.32 q5, r5\n vdup.32 q6, r6\n vdup.32 q7, r7\n"
                     "ldm r3, {r4-r9}\n"
                     "dlstp.32 lr, r12\n"
                     "1:\n"
                     "vldrb.s32 q1, [r1], #4\n vmlas.s32 q1, q4, r4\n"
                     "vshr.s32 q2, q1, #31\n vqrdmlash.s32 q1, q5, r5\n"
                     "vldrb.s32 q0, [r0], #4\n vmlas.s32 q0, q6, r7\n"
                     "vadd.i32 q1, q1, q2\n vshl.s32 q1, r6\n"
                     "vadd.i32 q0, q0, q1\n"
                     "vshr.s32 q2, q0, #31\n vqrdmlash.s32 q0, q7, r8\n"
                     "vadd.i32 q0, q0, q2\n vshl.s32 q0, r9\n"
                     "vqmovnb.s32 q2, q0\n vqmovnb.s16 q2, q2\n vstrb.32 q2, [r2], #4\n"
                     "letp lr, 1b\n"
                     "vpop {d8-d15}\n pop {r4-r9}\n"
                     : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3), "+r"(r12)
                     :
                     : "lr", "q0", "q1", "q2", "q3", "cc", "memory");
}

/* Equal scales: 10 instructions. */
static NSK_NOINLINE void add_equal(const nsk_add_plain *p, const int8_t *a, const int8_t *b,
                                   int8_t *y)
{
    const int32_t constants[] = {1 << 19, p->multiplier_y, p->offset_major / 2, p->round_y,
                                 -p->right_y};
    register const int8_t *r0 __asm__("r0") = a;
    register const int8_t *r1 __asm__("r1") = b;
    register int8_t *r2 __asm__("r2") = y;
    register const int32_t *r3 __asm__("r3") = constants;
    register int32_t r12 __asm__("r12") = p->count;
    __asm__ volatile(".syntax unified\n"
                     "push {r4-r8}\n vpush {d8-d11}\n"
                     "ldm r3, {r4-r8}\n"
                     "vdup.32 q4, r4\n vdup.32 q5, r5\n"
                     "dlstp.32 lr, r12\n"
                     "1:\n"
                     "vldrb.s32 q0, [r0], #4\n vldrb.s32 q1, [r1], #4\n vadd.i32 q0, q0, q1\n"
                     "vmlas.s32 q0, q4, r6\n"
                     "vshr.s32 q2, q0, #31\n vqrdmlash.s32 q0, q5, r7\n"
                     "vadd.i32 q0, q0, q2\n vshl.s32 q0, r8\n"
                     "vqmovnb.s32 q2, q0\n vqmovnb.s16 q2, q2\n vstrb.32 q2, [r2], #4\n"
                     "letp lr, 1b\n"
                     "vpop {d8-d11}\n pop {r4-r8}\n"
                     : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3), "+r"(r12)
                     :
                     : "lr", "q0", "q1", "q2", "q3", "cc", "memory");
}

#else

static int32_t away(int32_t factor, int32_t multiplier, int32_t round, int32_t right)
{
    return ((factor < 0 ? -1 : 0) + nsk_high(factor, multiplier) + round) >> right;
}

static int8_t finish(const nsk_add_plain *p, int32_t sum)
{
    return (int8_t)nsk_clamp(away(sum, p->multiplier_y, p->round_y, p->right_y), -128, 127);
}

static void add(const nsk_add_plain *p, const int8_t *major, const int8_t *minor, int8_t *y)
{
    for (int32_t i = 0; i < p->count; i++) {
        const int32_t other = away(minor[i] * (1 << 20) + p->offset_minor / 2, p->multiplier_minor,
                                   p->round_minor, p->right_minor);
        y[i] = finish(p, major[i] * (1 << 19) + p->offset_major / 2 + other);
    }
}

static void add_equal(const nsk_add_plain *p, const int8_t *a, const int8_t *b, int8_t *y)
{
    for (int32_t i = 0; i < p->count; i++) {
        y[i] = finish(p, (a[i] + b[i]) * (1 << 19) + p->offset_major / 2);
    }
}

#endif

void nsk_add_s8_mve(const nsk_add_plain *p, const int8_t *a, const int8_t *b, int8_t *y)
{
    if (p->right_minor == 0) {
        add_equal(p, a, b, y);
    } else if (p->swapped) {
        add(p, b, a, y);
    } else {
        add(p, a, b, y);
    }
    nsk_mve_clamp(y, p->count, p->low, p->high);
}
