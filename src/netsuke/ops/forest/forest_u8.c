/* Ensemble of decision trees, uint8 features, portable C99. See forest.h. */
#include "forest_walk.h"

void nsk_forest_u8(const nsk_forest *p, const uint8_t *x, int16_t *y)
{
    nsk_forest_scores(p, NSK_FOREST_U8, x, y);
}

void nsk_forest_u8_class(const nsk_forest *p, const uint8_t *x, uint8_t *y, void *scratch)
{
    *y = nsk_forest_class(p, NSK_FOREST_U8, x, scratch);
}

void nsk_forest_u8_leaves(const nsk_forest *p, const uint8_t *x, int16_t *y)
{
    nsk_forest_leaves(p, NSK_FOREST_U8, x, y);
}
