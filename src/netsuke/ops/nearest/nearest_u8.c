/* Nearest vectors, uint8 features, portable C99. See nearest.h. */
#include "nearest_list.h"

static inline void find(const nsk_nearest *p, const uint8_t *x, const uint8_t *v,
                        const int16_t *values, uint32_t *distances)
{
    nsk_nearest_begin(p, distances);
    for (uint32_t left = nsk_param(p->vectors); left; left--) {
        uint32_t r = 0;
        for (uint16_t c = 0; c < nsk_param(p->features); c++) {
            const int16_t away = (int16_t)(x[c] - (uint8_t)nsk_flash_u8(v++));
            const uint8_t size = (uint8_t)(away < 0 ? -away : away);
            r += (uint16_t)((unsigned)size * size);
        }
        nsk_nearest_insert(p, distances, r, values++);
    }
}

void nsk_nearest_u8(const nsk_nearest *p, const uint8_t *x, const uint8_t *v, const int16_t *values,
                    uint8_t *y, void *scratch)
{
    find(p, x, v, values, (uint32_t *)scratch);
    *y = nsk_nearest_class(p, (const uint32_t *)scratch);
}

void nsk_nearest_u8_sum(const nsk_nearest *p, const uint8_t *x, const uint8_t *v,
                        const int16_t *values, int32_t *y, void *scratch)
{
    find(p, x, v, values, (uint32_t *)scratch);
    *y = nsk_nearest_total(p, (const uint32_t *)scratch);
}
