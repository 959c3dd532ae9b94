/* Fastfood features, int8 inputs, portable C99. See fastfood.h. */
#include "fastfood_block.h"

void nsk_fastfood_s8(const nsk_fastfood *p, const int8_t *x, int8_t *y, void *scratch)
{
    const uint16_t block = nsk_param(p->block);
    uint16_t *w = (uint16_t *)scratch;
    uint16_t *u = w + block;
    const uint8_t *signs = nsk_param(p->signs);
    for (uint16_t first = 0; first < nsk_param(p->outputs); first = (uint16_t)(first + block)) {
        uint8_t turned = 0; /* a bit a feature, from the lowest one */
        for (uint16_t j = 0; j < block; j++) {
            turned = (uint8_t)(j & 7 ? turned >> 1 : nsk_flash_u8(signs++));
            const int16_t value =
                (int16_t)(j < nsk_param(p->features) ? x[j] - nsk_param(p->zero) : 0);
            w[j] = (uint16_t)(turned & 1 ? -value : value);
        }
        nsk_hadamard(w, block);
        nsk_fastfood_mix(p, first, w, u);
        nsk_hadamard(u, block);
        nsk_fastfood_wave(p, first, u, y);
    }
}
