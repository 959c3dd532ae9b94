/* Fully connected layer, int8, for Armv7E-M DSP; plain C elsewhere. See dense.h.
 *
 * Four units share each widened input: 20 instructions for 16 multiply-accumulates, no scratch.
 *
 * weights: four units a-d are four biases (with the input zero point's share); for the depth's
 *          last depth % 4 elements, if any, and then for every four elements, the words a0 b0 a2
 *          b2, a1 b1 a3 b3, c0 d0 c2 d2, c1 d1 c3 d3; the four right shifts, one a byte; four
 *          multipliers. Units and elements that are missing are zeros.
 */
#include "dense.h"
#include "nsk_dsp.h"

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

/* Sums of four units; returns the weights behind them. */
static __attribute__((noinline)) const int32_t *multiply(const int32_t *w, const int8_t *x,
                                                         int32_t depth, int32_t *sums)
{
    uint32_t last = 0;
    for (int32_t i = depth & ~3, shift = 0; i < depth; i++, shift += 8) {
        last |= (uint32_t)(uint8_t)x[i] << shift;
    }
    register const int32_t *r0 __asm__("r0") = w;
    register const int8_t *r1 __asm__("r1") = x;
    register int32_t r2 __asm__("r2") = depth;
    register uint32_t r3 __asm__("r3") = last;
    register int32_t *r12 __asm__("r12") = sums;
    __asm__ volatile(".syntax unified\n"
                     "push {r4-r12}\n"
                     "ldm r0!, {r4-r7}\n"
                     "bic lr, r2, #3\n"
                     "add lr, r1, lr\n" /* end of the whole words */
                     "lsls r2, r2, #30\n"
                     "beq 1f\n"
                     "mov r2, r3\n" QUAD "1:\n"
                     "sub r2, lr, r1\n"
                     "cmp r2, #0\n"
                     "beq 3f\n"
                     "ands r2, r2, #4\n"
                     "beq 2f\n"
                     "ldr r2, [r1], #4\n" QUAD "cmp r1, lr\n"
                     "beq 3f\n"
                     "2:\n"
                     "ldr r2, [r1], #4\n" QUAD "ldr r2, [r1], #4\n" QUAD "cmp r1, lr\n"
                     "bne 2b\n"
                     "3:\n"
                     "ldr r12, [sp, #32]\n"
                     "stm r12, {r4-r7}\n"
                     "pop {r4-r12}\n"
                     : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
                     : "r"(r12)
                     : "lr", "cc", "memory");
    return r0;
}

#else

static const int32_t *multiply(const int32_t *w, const int8_t *x, int32_t depth, int32_t *sums)
{
    for (int32_t u = 0; u < 4; u++) {
        sums[u] = *w++;
    }
    const int32_t rest = depth & 3, whole = depth - rest;
    for (int32_t i = rest ? -4 : 0; i < whole; i += 4, w += 4) {
        int8_t quad[4] = {0, 0, 0, 0};
        memcpy(quad, i < 0 ? x + whole : x + i, i < 0 ? (size_t)rest : 4);
        const uint32_t word = nsk_load4(quad);
        for (int32_t u = 0; u < 4; u += 2) {
            sums[u] = nsk_dual(nsk_even(word), nsk_even((uint32_t)w[u]), sums[u]);
            sums[u] = nsk_dual(nsk_odd(word), nsk_even((uint32_t)w[u + 1]), sums[u]);
            sums[u + 1] = nsk_dual(nsk_even(word), nsk_odd((uint32_t)w[u]), sums[u + 1]);
            sums[u + 1] = nsk_dual(nsk_odd(word), nsk_odd((uint32_t)w[u + 1]), sums[u + 1]);
        }
    }
    return w;
}

#endif

void nsk_dense_s8_dsp(const nsk_dense_packed *p, const int8_t *x, const int32_t *w, int8_t *y)
{
    for (int32_t r = 0; r < p->rows; r++, x += p->depth) {
        const int32_t *words = w;
        for (int32_t k = 0; k < p->units; k += 4) {
            int32_t sums[4];
            words = multiply(words, x, p->depth, sums);
            uint32_t shifts = (uint32_t)*words++;
            for (int32_t u = 0; u < 4; u++, shifts >>= 8) {
                const int32_t right = (int32_t)(shifts & 255);
                const int32_t round = nsk_round_term(p->output_zero, right);
                const int32_t scaled = nsk_high_plus(2 * sums[u], *words++, round) >> right;
                if (k + u < p->units) {
                    *y++ = (int8_t)(scaled < p->low ? p->low : scaled > p->high ? p->high : scaled);
                }
            }
        }
    }
}
