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

#ifndef NSK_MVE

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

#endif

#endif
