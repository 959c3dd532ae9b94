/* What the `count` stored vectors nearest to x say.
 *
 *   |x - v|^2 = sum over c of (x[c] - v[c])^2; of equal distances the first vector
 *   y = the value that most of them have, the smallest of equals        class
 *   y = the sum of their values                                          sum
 *
 * x: (features); v: (vectors, features); values: (vectors). scratch: distances (uint32), then values
 * (int16) of those found. Tables may lie in program memory.
 */
#ifndef NSK_NEAREST_H
#define NSK_NEAREST_H

#include <stdint.h>

typedef struct {
    uint32_t vectors;
    uint16_t features;
    uint8_t count;
} nsk_nearest;

void nsk_nearest_s8(const nsk_nearest *p, const int8_t *x, const int8_t *v, const int16_t *values,
                    uint8_t *y, void *scratch);
void nsk_nearest_u8(const nsk_nearest *p, const uint8_t *x, const uint8_t *v, const int16_t *values,
                    uint8_t *y, void *scratch);
void nsk_nearest_s8_sum(const nsk_nearest *p, const int8_t *x, const int8_t *v,
                        const int16_t *values, int32_t *y, void *scratch);
void nsk_nearest_u8_sum(const nsk_nearest *p, const uint8_t *x, const uint8_t *v,
                        const int16_t *values, int32_t *y, void *scratch);

#endif
