/* Ensemble of decision trees, int16 features, portable C99. See forest.h. */
#include "forest_walk.h"

void nsk_forest_s16(const nsk_forest *p, const int16_t *x, int16_t *y)
{
    nsk_forest_scores(p, NSK_FOREST_S16, x, y);
}

void nsk_forest_s16_class(const nsk_forest *p, const int16_t *x, uint8_t *y, void *scratch)
{
    *y = nsk_forest_class(p, NSK_FOREST_S16, x, scratch);
}

void nsk_forest_s16_leaves(const nsk_forest *p, const int16_t *x, int16_t *y)
{
    nsk_forest_leaves(p, NSK_FOREST_S16, x, y);
}
