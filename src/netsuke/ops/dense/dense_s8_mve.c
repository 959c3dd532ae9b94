/* Fully connected layer, int8, for MVE; plain C elsewhere. See dense.h and nsk_quads.h.
 *
 * Four units share each vector of x: 10 instructions for 64 multiply-accumulates, no scratch.
 */
#include "dense.h"
#include "nsk_quads.h"

void nsk_dense_s8_mve(const nsk_dense_packed *p, const int8_t *x, const int32_t *w, int8_t *y)
{
    const int32_t blocks = (p->depth + 15) / 16;
    for (int32_t r = 0; r < p->rows; r++, x += p->depth, y += p->units) {
        const nsk_quads task = {x, x,      (const int8_t *)w, y,      y,
                                y, blocks, p->output_zero,    p->low, p->high};
        nsk_quads_all(&task, p->units, p->depth, nsk_quads_one);
    }
}
