/* Scores of 16 bits to a class, portable C99. See decide.h. */
#include "decide.h"
#include "nsk_flash.h"

void nsk_decide_s16(const nsk_decide *p, const int16_t *x, uint8_t *y)
{
    const uint8_t scores = nsk_param(p->scores);
    if (scores == 1) {
        *y = *x > 0;
        return;
    }
    uint8_t best = 0;
    int16_t highest = *x;
    for (uint8_t k = 1; k < scores; k++) {
        if (*++x > highest) {
            highest = *x;
            best = k;
        }
    }
    *y = best;
}
