/* Two-dimensional convolution, int8, for AArch64 with SDOT; plain C elsewhere. See conv2d.h, conv2d_wide.h. */
#define NSK_DOTPROD 1
#include "nsk_neon.h"

#include "conv2d_wide.h"

#include "nsk_wide_end.h"

void nsk_conv2d_s8_dotprod(const nsk_conv2d_wide *p, const int8_t *x, const int8_t *w, int8_t *y,
                           void *scratch)
{
    nsk_conv2d_bands(p, x, w, y, scratch);
}
