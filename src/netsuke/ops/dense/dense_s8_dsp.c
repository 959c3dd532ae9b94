/* Fully connected layer, int8, for Armv7E-M DSP; plain C elsewhere. See dense.h.
 *
 * Four units share each widened input: 20 instructions for 16 multiply-accumulates, no scratch.
 *
 * weights: four units a-d are four biases (with the input zero point's share); for the depth's
 *          last depth % 4 elements, if any, and then for every four elements, the words a0 b0 a2
 *          b2, a1 b1 a3 b3, c0 d0 c2 d2, c1 d1 c3 d3. Units and elements that are missing are
 *          zeros.
 * scales:  of four units the multiplier of a, the right shifts, one a byte, and the multipliers of
 *          b, c and d. Where all units have one scale, all groups share the first (scale_step 0).
 */
#include "dense.h"
#include "nsk_dsp.h"
#include "nsk_fixed.h"

/* Whole groups of four units of one row; the assembler below knows the order. */
typedef struct {
    const int32_t *weights;
    const int8_t *x;
    const int8_t *whole; /* end of the whole words of x */
    int8_t *y;
    const int8_t *end;  /* y + 4 * groups */
    uint32_t last;      /* the bytes of x behind its whole words */
    int32_t twice_zero; /* 2 * output zero point + 1 */
    int32_t rest;       /* how many of them there are */
    const int32_t *scales;
    int32_t scale_step; /* words between the scales of groups */
} row;

#ifdef NSK_DSP

/* x in r2, weights in r8-r11, sums in r4-r7. */
#define QUAD                                                                                       \
    "ldm r0!, {r8-r11}\n"                                                                          \
    "sxtb16 r3, r2, ror #8\n"                                                                      \
    "sxtb16 r2, r2\n"                                                                              \
    "sxtb16 r12, r8, ror #8\n"                                                                     \
    "sxtb16 r8, r8\n"                                                                              \
    "smlad r4, r2, r8, r4\n"                                                                       \
    "smlad r5, r2, r12, r5\n"                                                                      \
    "sxtb16 r12, r9, ror #8\n"                                                                     \
    "sxtb16 r9, r9\n"                                                                              \
    "smlad r4, r3, r9, r4\n"                                                                       \
    "smlad r5, r3, r12, r5\n"                                                                      \
    "sxtb16 r12, r10, ror #8\n"                                                                    \
    "sxtb16 r10, r10\n"                                                                            \
    "smlad r6, r2, r10, r6\n"                                                                      \
    "smlad r7, r2, r12, r7\n"                                                                      \
    "sxtb16 r12, r11, ror #8\n"                                                                    \
    "sxtb16 r11, r11\n"                                                                            \
    "smlad r6, r3, r11, r6\n"                                                                      \
    "smlad r7, r3, r12, r7\n"

/* Twice the sum, high multiply plus rounding and zero point, shift, saturate. r8 holds the right
 * shifts (a shift by a register looks at its lowest byte), r12 twice_zero, r1 the output. */
#define UNIT(sum, multiplier)                                                                      \
    "lsl r3, r12, r8\n"                                                                            \
    "asr r3, r3, #1\n"                                                                             \
    "lsl " sum ", " sum ", #1\n"                                                                   \
    "smmlar " sum ", " sum ", " multiplier ", r3\n"                                                \
    "asr " sum ", " sum ", r8\n"                                                                   \
    "lsr r8, r8, #8\n"                                                                             \
    "ssat " sum ", #8, " sum "\n"                                                                  \
    "strb " sum ", [r1], #1\n"

/* The chain of four QUADs is entered so that it ends with the last word of x. */
static __attribute__((noinline)) void multiply(const row *given)
{
    register const row *r0 __asm__("r0") = given;
    __asm__ volatile(".syntax unified\n"
                     ".balign 4\n"
                     "push {r4-r11}\n"
                     "ldm r0, {r0, r1, r3, r4, r5, r6, r7, r8, r9, r10}\n"
                     "mov lr, r3\n"
                     "sub r2, lr, r1\n"
                     "and r2, r2, #12\n"
                     "add r2, r2, r2, lsl #2\n"
                     "lsl r2, r2, #2\n" /* 80 bytes a QUAD with its load */
                     "adr r11, 3f\n"
                     "sub r11, r11, r2\n"
                     "orr r11, r11, #1\n" /* entry into the chain, Thumb */
                     "adr r12, 4f\n"
                     "orr r12, r12, #1\n"
                     "cmp r8, #0\n"
                     "it eq\n"
                     "moveq r12, r11\n"
                     "push {r1, r4, r5, r6, r7, r9, r10, r11, r12}\n"
                     "1:\n"
                     "ldm r0!, {r4-r7}\n"
                     "ldr r1, [sp]\n"
                     "ldr pc, [sp, #32]\n"
                     ".balign 4\n"
                     "4:\n"
                     "ldr r2, [sp, #12]\n" QUAD "ldr pc, [sp, #28]\n"
                     ".balign 4\n"
                     "2:\n"
                     ".rept 4\n"
                     "ldr r2, [r1], #4\n" QUAD ".endr\n"
                     "3:\n"
                     "cmp r1, lr\n"
                     "bne.w 2b\n"
                     "ldrd r2, r3, [sp, #20]\n"
                     "add r3, r2, r3, lsl #2\n"
                     "str r3, [sp, #20]\n"
                     "ldr r12, [sp, #16]\n"
                     "ldr r1, [sp, #4]\n"
                     "ldm r2, {r2, r8, r9, r10, r11}\n" UNIT("r4", "r2") UNIT("r5", "r9")
                         UNIT("r6", "r10") UNIT("r7", "r11") "ldr r2, [sp, #8]\n"
                                                             "str r1, [sp, #4]\n"
                                                             "cmp r1, r2\n"
                                                             "bne.w 1b\n"
                                                             "add sp, sp, #36\n"
                                                             "pop {r4-r11}\n"
                     : "+r"(r0)
                     :
                     : "r1", "r2", "r3", "r12", "lr", "cc", "memory");
}

#else

/* Sums of four units; returns the weights behind them. */
static const int32_t *add_products(const row *given, const int32_t *w, int32_t *sums)
{
    for (int32_t u = 0; u < 4; u++) {
        sums[u] = *w++;
    }
    const int32_t whole = (int32_t)(given->whole - given->x);
    for (int32_t i = given->rest ? -4 : 0; i < whole; i += 4) {
        const uint32_t word = i < 0 ? given->last : nsk_load4(given->x + i);
        for (int32_t u = 0; u < 4; u += 2, w += 2) {
            sums[u] = nsk_dual(nsk_even(word), nsk_even((uint32_t)w[0]), sums[u]);
            sums[u] = nsk_dual(nsk_odd(word), nsk_even((uint32_t)w[1]), sums[u]);
            sums[u + 1] = nsk_dual(nsk_even(word), nsk_odd((uint32_t)w[0]), sums[u + 1]);
            sums[u + 1] = nsk_dual(nsk_odd(word), nsk_odd((uint32_t)w[1]), sums[u + 1]);
        }
    }
    return w;
}

static void multiply(const row *given)
{
    const int32_t *w = given->weights, *scales = given->scales;
    for (int8_t *y = given->y; y != given->end; y += 4, scales += given->scale_step) {
        int32_t sums[4];
        w = add_products(given, w, sums);
        uint32_t shifts = (uint32_t)scales[1];
        for (int32_t u = 0; u < 4; u++, shifts >>= 8) {
            const int32_t right = (int32_t)(shifts & 255);
            const int32_t round = given->twice_zero * (INT32_C(1) << right) >> 1;
            y[u] = nsk_saturate8(nsk_high_plus(2 * sums[u], scales[u ? u + 1 : 0], round) >> right);
        }
    }
}

#endif

static void one_row(const nsk_dense_quads *p, const int8_t *x, const int32_t *w, int8_t *y)
{
    const int32_t whole = p->depth & ~3, units = p->units & ~3;
    const int32_t size = 4 + 4 * ((p->depth + 3) / 4); /* words of four units */
    const int32_t twice_zero = 2 * p->output_zero + 1;
    row task = {w, x,          x + whole,    y,         y + units,
                0, twice_zero, p->depth & 3, p->scales, p->scale_step};
    for (int32_t i = whole, shift = 0; i < p->depth; i++, shift += 8) {
        task.last |= (uint32_t)(uint8_t)x[i] << shift;
    }
    if (units > 0) {
        multiply(&task);
    }
    if (units < p->units) {
        int8_t four[4];
        task.weights = w + units / 4 * size;
        task.scales = p->scales + units / 4 * p->scale_step;
        task.y = four;
        task.end = four + 4;
        multiply(&task);
        for (int32_t u = 0; units + u < p->units; u++) {
            y[units + u] = four[u];
        }
    }
}

void nsk_dense_s8_dsp(const nsk_dense_quads *p, const int8_t *x, const int32_t *w, int8_t *y)
{
    for (int32_t r = 0; r < p->rows; r++) {
        one_row(p, x + r * p->depth, w, y + r * p->units);
    }
    if (p->low > -128 || p->high < 127) {
        for (int32_t i = 0; i < p->rows * p->units; i++) {
            y[i] = (int8_t)nsk_clamp(y[i], p->low, p->high);
        }
    }
}
