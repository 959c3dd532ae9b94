/* Fully connected layer, float32, portable C99. See dense.h. */
#include "dense.h"
#include "nsk_real.h"

void nsk_dense_f32(const nsk_dense_real *p, const float *x, const float *w, const float *b,
                   float *y)
{
    for (int32_t r = 0; r < p->rows; r++, x += p->depth) {
        const float *row = w;
        for (int32_t k = 0; k < p->units; k++, row += p->depth) {
            float sum = b[k];
            for (int32_t c = 0; c < p->depth; c++) {
                sum += row[c] * x[c];
            }
            *y++ = nsk_clamp_f32(sum, p->low, p->high);
        }
    }
}
