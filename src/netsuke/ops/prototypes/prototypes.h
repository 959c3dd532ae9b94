/* Scores of prototypes by their distance: the second half of ProtoNN.
 *
 *   y[l] = sum over prototypes j of s[j,l] * table[min(|z - b[j]|^2 >> shift, entries - 1)]
 *
 * z: (size,) int8; b: (prototypes, size) int8; s: (prototypes, outputs) int8; table: (entries,)
 * uint8, whose last entry is 0; y: (outputs,) int32.
 */
#ifndef NSK_PROTOTYPES_H
#define NSK_PROTOTYPES_H

#include <stdint.h>

typedef struct {
    uint8_t size, outputs, shift;
    uint8_t last; /* entries - 1 */
    uint16_t prototypes;
} nsk_prototypes;

void nsk_prototypes_s8(const nsk_prototypes *p, const int8_t *z, const int8_t *b, const int8_t *s,
                       const uint8_t *table, int32_t *y);

#endif
