/* Scores of prototypes by their distance, portable C99. See prototypes.h. */
#include "prototypes.h"
#include "nsk_flash.h"

static inline uint32_t distance(uint8_t size, const int8_t *z, const int8_t *b)
{
    uint32_t sum = 0;
    for (uint8_t i = size; i; i--) {
        const int16_t difference = (int16_t)(*z++ - nsk_flash_i8(b++));
        const uint8_t length = (uint8_t)(difference < 0 ? -difference : difference);
        sum += (uint16_t)((uint16_t)length * length);
    }
    return sum;
}

void nsk_prototypes_s8(const nsk_prototypes *p, const int8_t *z, const int8_t *b, const int8_t *s,
                       const uint8_t *table, int32_t *y)
{
    const uint8_t size = nsk_param(p->size), outputs = nsk_param(p->outputs);
    for (uint8_t l = 0; l < outputs; l++) {
        y[l] = 0;
    }
    for (uint16_t j = nsk_param(p->prototypes); j; j--) {
        const uint32_t entry = distance(size, z, b) >> nsk_param(p->shift);
        b += size;
        if (entry < nsk_param(p->last)) {
            const uint8_t near = nsk_flash_u8(table + entry);
            for (uint8_t l = 0; l < outputs; l++) {
                y[l] += (int16_t)nsk_flash_i8(s + l) * (int16_t)near;
            }
        }
        s += outputs;
    }
}
