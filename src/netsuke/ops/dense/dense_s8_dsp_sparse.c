/* Fully connected layer, int8, for Armv7E-M DSP, for weights of which most are 0. See dense.h.
 *
 * The weights are the lists of nsk_sparse.h, one function a width of the gaps. No scratch.
 */
#include "dense.h"
#include "nsk_sparse_dsp.h"

static inline void rows(const nsk_dense_packed *p, const int8_t *x, const int32_t *w, int8_t *y,
                        void one(const nsk_sparse_one *))
{
    for (int32_t r = 0; r < p->rows; r++, x += p->depth, y += p->units) {
        const nsk_sparse_one task = {w, x, y, y + p->units, 2 * p->output_zero + 1};
        one(&task);
        nsk_sparse_clamp(y, p->units, p->low, p->high);
    }
}

void nsk_dense_s8_dsp_sparse8(const nsk_dense_packed *p, const int8_t *x, const int32_t *w,
                              int8_t *y)
{
    rows(p, x, w, y, nsk_sparse_one8);
}

void nsk_dense_s8_dsp_sparse4(const nsk_dense_packed *p, const int8_t *x, const int32_t *w,
                              int8_t *y)
{
    rows(p, x, w, y, nsk_sparse_one4);
}
