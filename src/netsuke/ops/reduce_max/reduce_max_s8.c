/* Maximum, int8, portable C99. See reduce_max.h. */
#include "reduce_max.h"
#include "nsk_steps.h"

static int8_t reduce(const nsk_reduce_max *p, const int8_t *x)
{
    const int32_t last = p->reduced_axes - 1;
    const int32_t extent = p->reduced_extent[last];
    const int32_t step = p->reduced_step[last];
    nsk_steps steps = {0};
    int8_t result = *x;
    do {
        const int8_t *element = x + steps.offset;
        for (int32_t i = 0; i < extent; i++, element += step) {
            result = *element > result ? *element : result;
        }
    } while (nsk_steps_next(&steps, last, p->reduced_extent, p->reduced_step));
    return result;
}

void nsk_reduce_max_s8(const nsk_reduce_max *p, const int8_t *x, int8_t *y)
{
    nsk_steps kept = {0};
    int32_t i = 0;
    do {
        const int8_t top = reduce(p, x + kept.offset);
        y[i] = p->table ? p->table[top + 128] : top;
        i++;
    } while (nsk_steps_next(&kept, p->kept_axes, p->kept_extent, p->kept_step));
}
