/* Steps through elements along several axes.
 *
 *   nsk_steps steps = {0};
 *   do {
 *       ... x[steps.offset] ...
 *   } while (nsk_steps_next(&steps, axes, extent, step));
 */
#ifndef NSK_STEPS_H
#define NSK_STEPS_H

#include <stdint.h>

#define NSK_STEPS_AXES 6

typedef struct {
    int32_t offset;
    int32_t index[NSK_STEPS_AXES];
} nsk_steps;

/* Go to the next element, the last axis first; 0 when there is none. axes <= NSK_STEPS_AXES. */
static inline int nsk_steps_next(nsk_steps *steps, int32_t axes, const int32_t *extent,
                                 const int32_t *step)
{
    for (int32_t axis = axes - 1; axis >= 0; axis--) {
        steps->offset += step[axis];
        if (++steps->index[axis] < extent[axis]) {
            return 1;
        }
        steps->offset -= step[axis] * extent[axis];
        steps->index[axis] = 0;
    }
    return 0;
}

#endif
