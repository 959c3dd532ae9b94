/* Sum, float32, portable C99. See reduce_sum.h. */
#include "reduce_sum.h"
#include "nsk_steps.h"

static float reduce(const nsk_reduce_sum_real *p, const float *x)
{
    const int32_t last = p->reduced_axes - 1;
    const int32_t extent = p->reduced_extent[last];
    const int32_t step = p->reduced_step[last];
    nsk_steps steps = {0};
    float result = 0.0f;
    do {
        const float *element = x + steps.offset;
        for (int32_t i = 0; i < extent; i++, element += step) {
            result += *element;
        }
    } while (nsk_steps_next(&steps, last, p->reduced_extent, p->reduced_step));
    return result;
}

void nsk_reduce_sum_f32(const nsk_reduce_sum_real *p, const float *x, float *y)
{
    nsk_steps kept = {0};
    int32_t i = 0;
    do {
        y[i] = reduce(p, x + kept.offset);
        i++;
    } while (nsk_steps_next(&kept, p->kept_axes, p->kept_extent, p->kept_step));
}
