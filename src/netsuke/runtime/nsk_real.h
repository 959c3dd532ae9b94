/* Float arithmetic that kernels share, without libm. */
#ifndef NSK_REAL_H
#define NSK_REAL_H

#include <stdint.h>

static inline float nsk_clamp_f32(float x, float low, float high)
{
    return x < low ? low : x > high ? high : x;
}

#endif
