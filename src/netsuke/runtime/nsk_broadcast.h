/* Walks over the rows of two operands that broadcast to a common shape.
 *
 * The last axis is the row, which the kernel runs through itself; this header counts the others.
 *
 *   nsk_walk walk = {0};
 *   do {
 *       ... the row starts at a + walk.a and b + walk.b ...
 *   } while (nsk_walk_next(&walk, rank, extent, step_a, step_b));
 */
#ifndef NSK_BROADCAST_H
#define NSK_BROADCAST_H

#include <stdint.h>

#define NSK_WALK_AXES 6

typedef struct {
    int32_t a, b; /* elements before the row */
    int32_t index[NSK_WALK_AXES];
} nsk_walk;

/* Go to the next row; 0 when there is none. 1 <= rank <= NSK_WALK_AXES. */
static inline int nsk_walk_next(nsk_walk *walk, int32_t rank, const int32_t *extent,
                                const int32_t *step_a, const int32_t *step_b)
{
    for (int32_t axis = rank - 2; axis >= 0; axis--) {
        walk->a += step_a[axis];
        walk->b += step_b[axis];
        if (++walk->index[axis] < extent[axis]) {
            return 1;
        }
        walk->a -= step_a[axis] * extent[axis];
        walk->b -= step_b[axis] * extent[axis];
        walk->index[axis] = 0;
    }
    return 0;
}

#endif
