/* Copying rows of an image into scratch memory, padded. Needs one of the headers of nsk_wide.h. */
#ifndef NSK_BANDS_H
#define NSK_BANDS_H

#include "nsk_wide.h"

static inline void nsk_pad_cells(nsk_cell *to, int32_t zero, int32_t count)
{
    const nsk_cell cell = (nsk_cell)(zero ^ NSK_FLIP);
    for (int32_t i = 0; i < count; i++) {
        to[i] = cell;
    }
}

/* Padded rows `first` to `first + count` of the image x; rows outside it are padding. */
static inline void nsk_load_band(nsk_cell *to, const int8_t *x, const nsk_band *band, int32_t first,
                                 int32_t count)
{
    for (int32_t row = first; row < first + count; row++, to += band->line) {
        if (row < 0 || row >= band->rows) {
            nsk_pad_cells(to, band->zero, band->line);
            continue;
        }
        const int32_t space = band->line - band->before;
        const int32_t bytes = band->bytes < space ? band->bytes : space;
        nsk_pad_cells(to, band->zero, band->before);
        nsk_copy_cells(to + band->before, x + row * band->bytes, bytes);
        nsk_pad_cells(to + band->before + bytes, band->zero, space - bytes);
    }
}

#endif
