/* Strided movement, any element type, portable C99. See strided.h. */
#include "strided.h"
#include "nsk_move.h"

void nsk_strided_any(const nsk_strided *p, const void *x, void *y)
{
    int32_t index[NSK_STRIDED_AXES] = {0};
    const int32_t last = p->rank - 1;
    const int32_t count = p->shape[last];
    const int32_t stride = p->stride[last];
    int32_t at = p->first;
    uint8_t *to = (uint8_t *)y;
    for (int32_t done = 0; done < p->blocks; done += count) {
        const uint8_t *from = (const uint8_t *)x + at;
        if (p->unit == 4) {
            nsk_move32_blocks(to, from, count, stride, p->run);
        } else if (p->unit == 2) {
            nsk_move16_blocks(to, from, count, stride, p->run);
        } else {
            nsk_move8_blocks(to, from, count, stride, p->run);
        }
        to += count * p->run * p->unit;
        for (int32_t axis = last - 1; axis >= 0; axis--) {
            at += p->stride[axis];
            if (++index[axis] < p->shape[axis]) {
                break;
            }
            at -= p->stride[axis] * p->shape[axis];
            index[axis] = 0;
        }
    }
}
