/* The same elements under another shape: a copy of `size` bytes.
 *
 * x and y hold elements of any type; y may start at x.
 */
#ifndef NSK_RESHAPE_H
#define NSK_RESHAPE_H

#include <stdint.h>

typedef struct {
    int32_t size; /* bytes */
} nsk_reshape;

void nsk_reshape_any(const nsk_reshape *p, const void *x, void *y);

#endif
