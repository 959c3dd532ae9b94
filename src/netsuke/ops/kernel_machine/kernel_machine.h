/* A support vector machine whose kernel is a table over the squared distance.
 *
 * For each vector v of class c, with k = K[i] - ((K[i] - K[i + 1]) * (r mod 2^shift) >> shift),
 * r = |x - v|^2, i = r >> shift (0 behind the table):
 *
 *   duel(c, o) += w[v, o < c ? o : o - 1] * k >> 15     for every other class o
 *
 * Duels start at b, in the order (0, 1), (0, 2), ..., (1, 2), ... The first class of a pair wins a
 * duel > 0; of two classes the second one does. y: the first class with most duels won.
 *
 * x: (features); v: (n, features), sorted by class; w: (n, classes - 1); counts: vectors of each
 * class; table: last + 1 entries that fall to 0. scratch: duels (int32), then a byte a class. Tables
 * may lie in program memory.
 */
#ifndef NSK_KERNEL_MACHINE_H
#define NSK_KERNEL_MACHINE_H

#include <stdint.h>

typedef struct {
    uint16_t features;
    uint8_t classes;
    uint8_t shift;
    uint16_t last;
} nsk_kernel_machine;

void nsk_kernel_machine_s8(const nsk_kernel_machine *p, const int8_t *x, const int8_t *v,
                           const int16_t *w, const int32_t *b, const int32_t *counts,
                           const int16_t *table, uint8_t *y, void *scratch);
void nsk_kernel_machine_u8(const nsk_kernel_machine *p, const uint8_t *x, const uint8_t *v,
                           const int16_t *w, const int32_t *b, const int32_t *counts,
                           const int16_t *table, uint8_t *y, void *scratch);

#endif
