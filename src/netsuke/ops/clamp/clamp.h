/* The clamp.
 *
 *   y = min(max(x, low), high)
 *
 * y may be x. The int8 form takes stored bounds and serves equal quantizations of x and y;
 * for others the clamp is a table, see table.h.
 */
#ifndef NSK_CLAMP_H
#define NSK_CLAMP_H

#include <stdint.h>

typedef struct {
    int32_t count;
    int32_t low, high; /* stored bounds, within int8 */
} nsk_clamp_stored;

typedef struct {
    int32_t count;
    float low, high;
} nsk_clamp_real;

void nsk_clamp_s8(const nsk_clamp_stored *p, const int8_t *x, int8_t *y);
void nsk_clamp_f32(const nsk_clamp_real *p, const float *x, float *y);

#endif
