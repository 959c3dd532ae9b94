/* Constant borders, any element type, portable C99. See pad.h. */
#include "pad.h"

#include <string.h>

static uint8_t *fill(const nsk_pad_constant *p, uint8_t *to, int32_t blocks)
{
    const uint8_t *element = (const uint8_t *)p->fill;
    const int32_t bytes = blocks * p->run;
    if (p->size == 1) {
        memset(to, element[0], (size_t)bytes);
        return to + bytes;
    }
    for (int32_t i = 0; i < bytes; i += p->size) {
        for (int32_t b = 0; b < p->size; b++) {
            *to++ = element[b];
        }
    }
    return to;
}

/* Whether the line at this position lies in a border of an axis before the last. */
static int outside(const nsk_pad_constant *p, const int32_t *index)
{
    for (int32_t axis = 0; axis < p->rank - 1; axis++) {
        const int32_t at = index[axis] - p->before[axis];
        if (at < 0 || at >= p->shape[axis]) {
            return 1;
        }
    }
    return 0;
}

void nsk_pad_constant_any(const nsk_pad_constant *p, const void *x, void *y)
{
    int32_t index[NSK_PAD_AXES] = {0};
    const int32_t last = p->rank - 1;
    const int32_t line = p->shape[last] * p->run;
    const uint8_t *from = (const uint8_t *)x;
    uint8_t *to = (uint8_t *)y;
    int32_t lines = 1;
    for (int32_t axis = 0; axis < last; axis++) {
        lines *= p->before[axis] + p->shape[axis] + p->after[axis];
    }
    for (; lines > 0; lines--) {
        if (outside(p, index)) {
            to = fill(p, to, p->before[last] + p->shape[last] + p->after[last]);
        } else {
            to = fill(p, to, p->before[last]);
            memcpy(to, from, (size_t)line);
            from += line;
            to = fill(p, to + line, p->after[last]);
        }
        for (int32_t axis = last - 1; axis >= 0; axis--) {
            if (++index[axis] < p->before[axis] + p->shape[axis] + p->after[axis]) {
                break;
            }
            index[axis] = 0;
        }
    }
}
