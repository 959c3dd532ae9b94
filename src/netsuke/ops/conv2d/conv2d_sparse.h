/* Where the windows of a convolution with lists of weights (nsk_sparse.h) lie.
 *
 * A window's inputs lie at the same distances from its first one wherever it is, if no part of it
 * is padding. So with padding the image is copied into scratch with its border.
 */
#ifndef NSK_CONV2D_SPARSE_H
#define NSK_CONV2D_SPARSE_H

#include <string.h>

#include "conv2d.h"
#include "nsk_dsp.h"
#include "nsk_fixed.h"

static inline int32_t nsk_conv2d_sparse_pitch(const nsk_conv2d_sparse *p)
{
    return (p->columns ? p->columns : p->in_w) * p->in_c;
}

/* The image with its border; x itself where there is none (columns 0). */
static inline const int8_t *nsk_conv2d_sparse_image(const nsk_conv2d_sparse *p, const int8_t *x,
                                                    int8_t *scratch)
{
    if (!p->columns) {
        return x;
    }
    const int32_t pitch = nsk_conv2d_sparse_pitch(p);
    const int32_t below = p->rows - p->pad_top, right = p->columns - p->pad_left;
    const int32_t rows = p->in_h < below ? p->in_h : below;
    const int32_t columns = p->in_w < right ? p->in_w : right;
    memset(scratch, p->input_zero, (size_t)(p->rows * pitch));
    for (int32_t i = 0; i < rows && columns > 0; i++) {
        nsk_copy(scratch + (i + p->pad_top) * pitch + p->pad_left * p->in_c,
                 x + i * p->in_w * p->in_c, columns * p->in_c);
    }
    return scratch;
}

/* Bytes from the image to the window of output pixel n. */
static inline int32_t nsk_conv2d_sparse_at(const nsk_conv2d_sparse *p, int32_t n)
{
    const int32_t i = n / p->out_w, j = n % p->out_w;
    return i * p->stride_h * nsk_conv2d_sparse_pitch(p) + j * p->stride_w * p->in_c;
}

#endif
