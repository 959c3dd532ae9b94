/* The three functions of a projection that takes its input element by element. */
#ifndef NSK_PROJECTION_STREAM_H
#define NSK_PROJECTION_STREAM_H

#include "projection_row.h"

/* From `push(p, x, state)` and the type of the state and of its sums. */
#define NSK_PROJECTION_STREAM(name, type, state_type, sum_type)                                    \
    void name##_begin(const nsk_projection *p, type *y, void *state)                               \
    {                                                                                              \
        state_type *own = (state_type *)state;                                                     \
        (void)y;                                                                                   \
        own->place = 0;                                                                            \
        for (uint8_t k = 0; k < nsk_param(p->rows); k++) {                                         \
            own->sum[k] = (sum_type)nsk_projection_bias(p, k, 0);                                  \
        }                                                                                          \
    }                                                                                              \
    void name##_push(const nsk_projection *p, int8_t x, type *y, void *state)                      \
    {                                                                                              \
        (void)y;                                                                                   \
        push(p, x, (state_type *)state);                                                           \
    }                                                                                              \
    void name##_end(const nsk_projection *p, type *y, void *state)                                 \
    {                                                                                              \
        const sum_type *sum = ((state_type *)state)->sum;                                          \
        const int16_t low = nsk_param(p->low), high = nsk_param(p->high);                          \
        for (uint8_t k = nsk_param(p->rows); k; k--) {                                             \
            const sum_type z = (sum_type)(*sum++ >> nsk_param(p->shift));                          \
            *y++ = (type)(z < low ? low : z > high ? high : z);                                    \
        }                                                                                          \
    }

#endif
