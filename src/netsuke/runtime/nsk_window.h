/* Which taps of a sliding window lie inside an image, along one axis.
 *
 * Tap u of a window looks at place start + u * dilation; the taps first <= u < end are inside.
 */
#ifndef NSK_WINDOW_H
#define NSK_WINDOW_H

#include <stdint.h>

static inline int32_t nsk_first_tap(int32_t start, int32_t dilation)
{
    if (start >= 0) {
        return 0;
    }
    return dilation == 1 ? -start : (dilation - 1 - start) / dilation;
}

static inline int32_t nsk_end_tap(int32_t start, int32_t dilation, int32_t kernel, int32_t size)
{
    const int32_t room = size - start;
    if (room <= 0) {
        return 0;
    }
    const int32_t end = dilation == 1 ? room : (room + dilation - 1) / dilation;
    return end < kernel ? end : kernel;
}

#endif
