/* The clamp of stored values, int8, portable C99. See clamp.h. */
#include "clamp.h"

void nsk_clamp_s8(const nsk_clamp_stored *p, const int8_t *x, int8_t *y)
{
    const int8_t low = (int8_t)p->low;
    const int8_t high = (int8_t)p->high;
    for (int32_t i = 0; i < p->count; i++) {
        y[i] = x[i] < low ? low : x[i] > high ? high : x[i];
    }
}
