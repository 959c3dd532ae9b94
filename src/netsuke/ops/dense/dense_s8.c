/* Fully connected layer, int8, portable C99. See dense.h. */
#include "dense.h"
#include "nsk_fixed.h"

void nsk_dense_s8(const nsk_dense *p, const int8_t *x, const int8_t *w, const int32_t *b, int8_t *y)
{
    for (int32_t r = 0; r < p->rows; r++, x += p->depth) {
        const int8_t *row = w;
        for (int32_t k = 0; k < p->units; k++, row += p->depth) {
            int32_t sum = b[k];
            for (int32_t c = 0; c < p->depth; c++) {
                sum += (row[c] - p->weight_zero) * (x[c] - p->input_zero);
            }
            *y++ =
                nsk_store_s8(sum, p->multiplier[k], p->shift[k], p->output_zero, p->low, p->high);
        }
    }
}
