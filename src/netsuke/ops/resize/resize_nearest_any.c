/* Nearest-neighbour resize, any element type, portable C99. See resize.h. */
#include "resize.h"

#include <string.h>

void nsk_resize_nearest_any(const nsk_resize_nearest *p, const void *x, void *y)
{
    const int32_t line = p->out_w * p->run;
    uint8_t *to = (uint8_t *)y;
    for (int32_t i = 0; i < p->out_h; i++, to += line) {
        if (i > 0 && p->rows[i] == p->rows[i - 1]) {
            memcpy(to, to - line, (size_t)line);
            continue;
        }
        const uint8_t *from = (const uint8_t *)x + p->rows[i] * p->in_w * p->run;
        for (int32_t j = 0; j < p->out_w; j++) {
            memcpy(to + j * p->run, from + p->columns[j] * p->run, (size_t)p->run);
        }
    }
}
