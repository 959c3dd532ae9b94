/* Slices picked along an axis.
 *
 *   y[r, i, :] = x[r, indices[i], :]
 *
 * x: (rows, extent) slices of `run` bytes; indices: count numbers in 0 .. extent - 1, checked by
 * the compiler of the model; y: (rows, count) slices. x and y hold elements of any type and do not
 * overlap.
 */
#ifndef NSK_GATHER_H
#define NSK_GATHER_H

#include <stdint.h>

typedef struct {
    int32_t rows, extent, count;
    int32_t run; /* bytes of one slice */
} nsk_gather;

void nsk_gather_any(const nsk_gather *p, const void *x, const int32_t *indices, void *y);

#endif
