/* Reshape, any element type, portable C99. See reshape.h. */
#include "reshape.h"

#include <string.h>

void nsk_reshape_any(const nsk_reshape *p, const void *x, void *y)
{
    if (x != y) {
        memmove(y, x, (size_t)p->size);
    }
}
