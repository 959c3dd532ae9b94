/* Scores to a class.
 *
 *   y = the first k with x[k] = max over j of x[j]; with one score, y = 1 if x[0] > 0, else 0
 *
 * x: (scores,), at most 255; y: one byte.
 */
#ifndef NSK_DECIDE_H
#define NSK_DECIDE_H

#include <stdint.h>

typedef struct {
    uint8_t scores;
} nsk_decide;

void nsk_decide_s8(const nsk_decide *p, const int8_t *x, uint8_t *y);
void nsk_decide_s16(const nsk_decide *p, const int16_t *x, uint8_t *y);
void nsk_decide_s32(const nsk_decide *p, const int32_t *x, uint8_t *y);

#endif
