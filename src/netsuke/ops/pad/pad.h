/* Borders added to a tensor.
 *
 * x: axes of extents shape[0 .. rank-1], each element a block of `run` bytes; y: the same with
 * before[i] and after[i] blocks around axis i. x and y hold elements of any type and do not
 * overlap.
 */
#ifndef NSK_PAD_H
#define NSK_PAD_H

#include <stdint.h>

#define NSK_PAD_AXES 8

/* Borders of one value. */
typedef struct {
    int32_t rank; /* 1 .. NSK_PAD_AXES */
    int32_t run;  /* bytes of a block, a multiple of size */
    const int32_t *shape, *before, *after;
    int32_t size;     /* bytes of an element: 1, 2, 4 or 8 */
    const void *fill; /* one element */
} nsk_pad_constant;

/* Borders of the tensor's own elements. */
typedef struct {
    int32_t rank; /* 1 .. NSK_PAD_AXES */
    int32_t run;  /* bytes of a block */
    const int32_t *shape, *before, *after;
    int32_t mode; /* 1: reflect, 2: edge, 3: symmetric, 4: wrap */
} nsk_pad_mirror;

void nsk_pad_constant_any(const nsk_pad_constant *p, const void *x, void *y);
void nsk_pad_mirror_any(const nsk_pad_mirror *p, const void *x, void *y);

#endif
