/* Convolution, int8, portable C99, for weights of which most are 0. See conv2d_sparse.h.
 *
 * The weights are lists of nsk_sparse.h with gaps of 8 bits. The input zero point is folded into
 * the bias. Scratch: the image with its border, where it has one.
 */
#include "conv2d_sparse.h"
#include "nsk_sparse.h"

void nsk_conv2d_s8_sparse(const nsk_conv2d_sparse *p, const int8_t *x, const int32_t *w, int8_t *y,
                          void *scratch)
{
    const int8_t *const image = nsk_conv2d_sparse_image(p, x, scratch);
    for (int32_t n = 0; n < p->out_h * p->out_w; n++) {
        const int8_t *const window = image + nsk_conv2d_sparse_at(p, n);
        const int32_t *unit = w;
        for (int32_t k = 0; k < p->out_c; k++) {
            const int32_t sum = nsk_sparse_sum8(unit, window);
            *y++ =
                nsk_store_s8(sum, unit[1], nsk_sparse_shift(unit), p->output_zero, p->low, p->high);
            unit += 3 + 2 * nsk_sparse_groups(unit);
        }
    }
}
