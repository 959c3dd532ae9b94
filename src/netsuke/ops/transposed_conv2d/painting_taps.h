/* Which taps of a transposed convolution paint onto an output place, along one axis. */
#ifndef NSK_PAINTING_TAPS_H
#define NSK_PAINTING_TAPS_H

#include <stdint.h>

/* Along one axis: the taps first, first + step, ... < kernel that paint onto a place, and the input
 * place of the first one; each step of taps goes `back` input places back. */
typedef struct {
    int32_t first, step, kernel, place, back, size;
} taps;

static inline taps taps_at(int32_t place, int32_t kernel, int32_t stride, int32_t dilation,
                           int32_t step, int32_t size)
{
    taps t = {0, step, kernel, place, step * dilation / stride, size};
    while (t.first < step && t.first < kernel && (place - t.first * dilation) % stride != 0) {
        t.first++;
    }
    if (t.first == step) {
        t.first = kernel; /* none */
    }
    t.place = (place - t.first * dilation) / stride;
    return t;
}

#endif
