/* Convolution, int8, for Armv7E-M DSP, for weights of which most are 0. See conv2d_sparse.h.
 *
 * The weights are lists of nsk_sparse.h with gaps of 8 bits; four pixels share them. The last four
 * may be some of the last but one, too. Scratch: the image with its border, where it has one.
 */
#include "conv2d_sparse.h"
#include "nsk_sparse_dsp.h"

static void four(const nsk_conv2d_sparse *p, const int8_t *image, const int32_t *w, int8_t *y,
                 int32_t n)
{
    const int32_t at = nsk_conv2d_sparse_at(p, n);
    y += n * p->out_c;
    const nsk_sparse_four_pixels task = {w,
                                         image + at,
                                         nsk_conv2d_sparse_at(p, n + 1) - at,
                                         nsk_conv2d_sparse_at(p, n + 2) - at,
                                         nsk_conv2d_sparse_at(p, n + 3) - at,
                                         p->out_c,
                                         y,
                                         y + p->out_c,
                                         2 * p->output_zero + 1};
    nsk_sparse_four8(&task);
}

void nsk_conv2d_s8_dsp_sparse(const nsk_conv2d_sparse *p, const int8_t *x, const int32_t *w,
                              int8_t *y, void *scratch)
{
    const int8_t *const image = nsk_conv2d_sparse_image(p, x, scratch);
    const int32_t total = p->out_h * p->out_w;
    int32_t n = 0;
    for (; n + 4 <= total; n += 4) {
        four(p, image, w, y, n);
    }
    if (n < total && total >= 4) {
        four(p, image, w, y, total - 4);
    } else {
        for (; n < total; n++) {
            int8_t *const pixel = y + n * p->out_c;
            const nsk_sparse_one task = {w, image + nsk_conv2d_sparse_at(p, n), pixel,
                                         pixel + p->out_c, 2 * p->output_zero + 1};
            nsk_sparse_one8(&task);
        }
    }
    nsk_sparse_clamp(y, total * p->out_c, p->low, p->high);
}
