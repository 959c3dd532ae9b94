/* The layer of nsk_dense_wide on wide vectors; the vectors' header comes before, see nsk_wide.h.
 *
 * Scratch holds `band` rows as cells. Weights beyond the depth are 0.
 */
#ifndef NSK_DENSE_WIDE_H
#define NSK_DENSE_WIDE_H

#include "dense.h"
#include "nsk_tiles.h"

static inline void nsk_dense_bands(const nsk_dense_wide *p, const int8_t *x, const int8_t *w,
                                   int8_t *y, nsk_cell *scratch)
{
    for (int32_t row = 0, rows; row < p->rows; row += rows) {
        rows = p->rows - row < p->band ? p->rows - row : p->band;
        nsk_copy_cells(scratch, x + row * p->depth, rows * p->depth);
        nsk_task task = {.x = scratch,
                         .step = p->depth,
                         .high = 1,
                         .wide = 1,
                         .groups = p->groups,
                         .w = w,
                         .scales = p->scales,
                         .limits = {p->low, p->high, p->output_zero},
                         .next = p->units};
        for (int32_t k = 0, vectors; k < p->units; k += vectors * NSK_LANES) {
            vectors = nsk_block(p->units - k);
            task.count = p->units - k;
            task.y = y + row * p->units + k;
            nsk_run_row(&task, vectors, rows);
            task.w += p->groups * vectors * NSK_STEP;
            task.scales += vectors * NSK_SCALES;
        }
    }
}

#endif
