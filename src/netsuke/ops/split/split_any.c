/* Split, any element type, portable C99. See split.h. */
#include "split.h"

#include <string.h>

static void cut(const nsk_split *p, const void *x, void *const *y, int32_t count)
{
    const uint8_t *from = (const uint8_t *)x;
    for (int32_t r = 0; r < p->rows; r++) {
        for (int32_t i = 0; i < count; i++) {
            const int32_t run = p->run[i];
            memcpy((uint8_t *)y[i] + r * run, from, (size_t)run);
            from += run;
        }
    }
}

#define NSK_SPLIT_DEFINE(n)                                                                        \
    void nsk_split##n##_any(const nsk_split *p, const void *x, NSK_SPLIT_OUT##n)                   \
    {                                                                                              \
        void *const y[] = {NSK_SPLIT_Y##n};                                                        \
        cut(p, x, y, n);                                                                           \
    }
NSK_SPLIT_EACH(NSK_SPLIT_DEFINE)
