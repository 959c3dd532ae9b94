/* Division, float32, portable C99. See div.h. */
#include "div.h"
#include "nsk_broadcast.h"
#include "nsk_real.h"

void nsk_div_f32(const nsk_div_real *p, const float *a, const float *b, float *y)
{
    const int32_t row = p->extent[p->rank - 1];
    const int32_t next_a = p->step_a[p->rank - 1];
    const int32_t next_b = p->step_b[p->rank - 1];
    nsk_walk walk = {0};
    do {
        const float *row_a = a + walk.a;
        const float *row_b = b + walk.b;
        for (int32_t i = 0; i < row; i++, row_a += next_a, row_b += next_b) {
            *y++ = nsk_clamp_f32(*row_a / *row_b, p->low, p->high);
        }
    } while (nsk_walk_next(&walk, p->rank, p->extent, p->step_a, p->step_b));
}
