/* Gather, any element type, portable C99. See gather.h. */
#include "gather.h"

#include <string.h>

void nsk_gather_any(const nsk_gather *p, const void *x, const int32_t *indices, void *y)
{
    const int32_t run = p->run;
    const uint8_t *row = (const uint8_t *)x;
    uint8_t *to = (uint8_t *)y;
    for (int32_t r = 0; r < p->rows; r++, row += p->extent * run) {
        for (int32_t i = 0; i < p->count; i++, to += run) {
            memcpy(to, row + indices[i] * run, (size_t)run);
        }
    }
}
