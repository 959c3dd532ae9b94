/* Random features of the Gaussian kernel from Hadamard transforms.
 *
 * For each block of d = 2^k rows, as many as give the outputs:
 *
 *   w = H (B (x - zero))                                   int16, exact: d * max|x - zero| < 2^15
 *   u[j] = (gauss[j] * w[order[j]] + 2^(shift-1)) >> shift   modulo 2^16
 *   y[i] = cosines[(phases[i] + lengths[i] * (H u)[i] + 128 modulo 2^16) >> 8]
 *
 * H[i, j] = (-1)^popcount(i & j). x: (features), followed by zeros up to d; y: (outputs).
 * scratch: w and u, 4 d bytes.
 */
#ifndef NSK_FASTFOOD_H
#define NSK_FASTFOOD_H

#include <stdint.h>

typedef struct {
    uint16_t features, block, outputs;
    int16_t zero;
    uint8_t shift;
    uint8_t wide;         /* order holds uint16, else uint8 */
    const uint8_t *signs; /* a bit a feature, from the lowest one: set where B is -1 */
    const void *order;
    const int8_t *gauss;
    const uint8_t *lengths;
    const int16_t *phases;
    const int8_t *cosines; /* 256 */
} nsk_fastfood;

void nsk_fastfood_s8(const nsk_fastfood *p, const int8_t *x, int8_t *y, void *scratch);
void nsk_fastfood_u8(const nsk_fastfood *p, const uint8_t *x, int8_t *y, void *scratch);

#endif
