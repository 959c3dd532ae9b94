/* Position of the maximum, int8, portable C99. See arg_max.h. */
#include "arg_max.h"

void nsk_arg_max_s8(const nsk_arg_max *p, const int8_t *x, int32_t *y)
{
    for (int32_t o = 0; o < p->outer; o++) {
        for (int32_t i = 0; i < p->inner; i++) {
            const int8_t *row = x + o * p->depth * p->inner + i;
            int32_t best = 0;
            for (int32_t j = 1; j < p->depth; j++) {
                const int8_t value = row[j * p->inner], highest = row[best * p->inner];
                if (value > highest || (p->last && value == highest)) {
                    best = j;
                }
            }
            *y++ = best;
        }
    }
}
