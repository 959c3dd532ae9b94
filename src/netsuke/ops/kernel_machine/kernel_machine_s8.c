/* Support vector machine, int8 features, portable C99. See kernel_machine.h. */
#include "kernel_duels.h"

void nsk_kernel_machine_s8(const nsk_kernel_machine *p, const int8_t *x, const int8_t *v,
                           const int16_t *w, const int32_t *b, const int32_t *counts,
                           const int16_t *table, uint8_t *y, void *scratch)
{
    const uint8_t classes = nsk_param(p->classes);
    const uint16_t pairs = (uint16_t)(classes * (classes - 1) / 2);
    int32_t *duels = (int32_t *)scratch;
    for (uint16_t i = 0; i < pairs; i++) {
        duels[i] = nsk_flash_i32(b + i);
    }
    for (uint8_t owner = 0; owner < classes; owner++) {
        for (int32_t left = nsk_flash_i32(counts + owner); left; left--) {
            uint32_t r = 0;
            for (uint16_t c = 0; c < nsk_param(p->features); c++) {
                const int16_t away = (int16_t)(x[c] - (int8_t)nsk_flash_u8(v++));
                const uint8_t size = (uint8_t)(away < 0 ? -away : away);
                r += (uint16_t)((unsigned)size * size);
            }
            nsk_kernel_duel(p, owner, nsk_kernel_of(p, table, r), w, duels);
            w += classes - 1;
        }
    }
    *y = nsk_kernel_winner(p, duels, (uint8_t *)(duels + pairs));
}
