/* Elements from regular positions, in order.
 *
 *   y[i0, i1, ...] = x[first + i0 * stride0 + i1 * stride1 + ...]
 *
 * where each y[...] is a block of `run` units of `unit` bytes. x and y hold elements of any type
 * and do not overlap.
 */
#ifndef NSK_STRIDED_H
#define NSK_STRIDED_H

#include <stdint.h>

#define NSK_STRIDED_AXES 8

typedef struct {
    int32_t rank;          /* 1 .. NSK_STRIDED_AXES */
    int32_t unit;          /* 1, 2 or 4 bytes; first and every stride are multiples */
    int32_t run;           /* units in a block */
    int32_t blocks;        /* in y: the product of shape */
    int32_t first;         /* bytes */
    const int32_t *shape;  /* rank extents */
    const int32_t *stride; /* rank steps in x, in bytes, of any sign */
} nsk_strided;

void nsk_strided_any(const nsk_strided *p, const void *x, void *y);

#endif
