/* Position of the maximum, float32, portable C99. See arg_max.h. */
#include "arg_max.h"

void nsk_arg_max_f32(const nsk_arg_max *p, const float *x, int32_t *y)
{
    for (int32_t o = 0; o < p->outer; o++) {
        for (int32_t i = 0; i < p->inner; i++) {
            const float *row = x + o * p->depth * p->inner + i;
            int32_t best = 0;
            for (int32_t j = 1; j < p->depth; j++) {
                const float value = row[j * p->inner], highest = row[best * p->inner];
                if (value > highest || (p->last && value == highest)) {
                    best = j;
                }
            }
            *y++ = best;
        }
    }
}
