/* Mean, int8, portable C99. See reduce_mean.h. */
#include "reduce_mean.h"
#include "nsk_fixed.h"
#include "nsk_steps.h"

static int32_t reduce(const nsk_reduce_mean *p, const int8_t *x)
{
    const int32_t last = p->reduced_axes - 1;
    const int32_t extent = p->reduced_extent[last];
    const int32_t step = p->reduced_step[last];
    nsk_steps steps = {0};
    int32_t result = 0;
    do {
        const int8_t *element = x + steps.offset;
        for (int32_t i = 0; i < extent; i++, element += step) {
            result += *element;
        }
    } while (nsk_steps_next(&steps, last, p->reduced_extent, p->reduced_step));
    return result;
}

void nsk_reduce_mean_s8(const nsk_reduce_mean *p, const int8_t *x, int8_t *y)
{
    nsk_steps kept = {0};
    int32_t i = 0;
    do {
        const int32_t sum = reduce(p, x + kept.offset) - p->offset;
        y[i] = i < p->ties_up ? nsk_store_s8(sum, p->multiplier, p->shift, p->bias, -128, 127)
                              : nsk_store_away_s8(sum, p->multiplier, p->shift, p->bias, -128, 127);
        i++;
    } while (nsk_steps_next(&kept, p->kept_axes, p->kept_extent, p->kept_step));
}
