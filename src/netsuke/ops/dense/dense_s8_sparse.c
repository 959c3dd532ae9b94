/* Fully connected layer, int8, portable C99, for weights of which most are 0. See dense.h.
 *
 * The weights are the lists of nsk_sparse.h, one function a width of the gaps. The input zero point
 * is folded into the bias, as in dense_s8_folded.c.
 */
#include "dense.h"
#include "nsk_fixed.h"
#include "nsk_sparse.h"

static inline int8_t store(const nsk_dense_packed *p, const int32_t *unit, int32_t sum)
{
    return nsk_store_s8(sum, unit[1], nsk_sparse_shift(unit), p->output_zero, p->low, p->high);
}

void nsk_dense_s8_sparse8(const nsk_dense_packed *p, const int8_t *x, const int32_t *w, int8_t *y)
{
    for (int32_t r = 0; r < p->rows; r++, x += p->depth) {
        const int32_t *unit = w;
        for (int32_t k = 0; k < p->units; k++) {
            *y++ = store(p, unit, nsk_sparse_sum8(unit, x));
            unit += 3 + 2 * nsk_sparse_groups(unit);
        }
    }
}

void nsk_dense_s8_sparse4(const nsk_dense_packed *p, const int8_t *x, const int32_t *w, int8_t *y)
{
    for (int32_t r = 0; r < p->rows; r++, x += p->depth) {
        const int32_t *unit = w;
        for (int32_t k = 0; k < p->units; k++) {
            *y++ = store(p, unit, nsk_sparse_sum4(unit, x));
            unit += 3 + 3 * nsk_sparse_groups(unit);
        }
    }
}
