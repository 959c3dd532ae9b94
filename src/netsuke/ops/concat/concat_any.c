/* Concat, any element type, portable C99. See concat.h. */
#include "concat.h"

#include <string.h>

static void join(const nsk_concat *p, const void *const *x, int32_t count, void *y)
{
    uint8_t *to = (uint8_t *)y;
    for (int32_t r = 0; r < p->rows; r++) {
        for (int32_t i = 0; i < count; i++) {
            const int32_t run = p->run[i];
            memcpy(to, (const uint8_t *)x[i] + r * run, (size_t)run);
            to += run;
        }
    }
}

#define NSK_CONCAT_DEFINE(n)                                                                       \
    void nsk_concat##n##_any(const nsk_concat *p, NSK_CONCAT_IN##n, void *y)                       \
    {                                                                                              \
        const void *const x[] = {NSK_CONCAT_X##n};                                                 \
        join(p, x, n, y);                                                                          \
    }
NSK_CONCAT_EACH(NSK_CONCAT_DEFINE)
