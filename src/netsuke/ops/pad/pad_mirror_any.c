/* Borders of the tensor's own elements, any element type, portable C99. See pad.h. */
#include "pad.h"

#include <string.h>

/* The place in x, along one axis, of a place in y. */
static int32_t source(int32_t place, int32_t extent, int32_t mode)
{
    if (place >= 0 && place < extent) {
        return place;
    }
    switch (mode) {
    case 1:
        return place < 0 ? -place : 2 * (extent - 1) - place;
    case 2:
        return place < 0 ? 0 : extent - 1;
    case 3:
        return place < 0 ? -place - 1 : 2 * extent - 1 - place;
    default:
        return place < 0 ? place + extent : place - extent;
    }
}

void nsk_pad_mirror_any(const nsk_pad_mirror *p, const void *x, void *y)
{
    int32_t index[NSK_PAD_AXES] = {0};
    const int32_t last = p->rank - 1;
    uint8_t *to = (uint8_t *)y;
    int32_t lines = 1;
    for (int32_t axis = 0; axis < last; axis++) {
        lines *= p->before[axis] + p->shape[axis] + p->after[axis];
    }
    for (; lines > 0; lines--) {
        int32_t line = 0; /* number of the line in x */
        for (int32_t axis = 0; axis < last; axis++) {
            line = line * p->shape[axis] +
                   source(index[axis] - p->before[axis], p->shape[axis], p->mode);
        }
        const uint8_t *from = (const uint8_t *)x + line * p->shape[last] * p->run;
        for (int32_t i = -p->before[last]; i < p->shape[last] + p->after[last]; i++, to += p->run) {
            memcpy(to, from + source(i, p->shape[last], p->mode) * p->run, (size_t)p->run);
        }
        for (int32_t axis = last - 1; axis >= 0; axis--) {
            if (++index[axis] < p->before[axis] + p->shape[axis] + p->after[axis]) {
                break;
            }
            index[axis] = 0;
        }
    }
}
