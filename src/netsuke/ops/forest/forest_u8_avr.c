/* Ensemble of decision trees as instructions of an AVR, uint8 features. See forest.h. */
#include "forest_walk.h"

void nsk_forest_u8_avr(const nsk_forest *p, const uint8_t *x, int16_t *y)
{
    nsk_forest_scores(p, NSK_FOREST_CODE, x, y);
}

void nsk_forest_u8_class_avr(const nsk_forest *p, const uint8_t *x, uint8_t *y, void *scratch)
{
    *y = nsk_forest_class(p, NSK_FOREST_CODE, x, scratch);
}
