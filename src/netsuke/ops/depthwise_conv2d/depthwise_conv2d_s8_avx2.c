/* Depthwise convolution, int8, for AVX2; plain C elsewhere. See depthwise_wide.h. */
#include "nsk_avx2.h"

#include "depthwise_wide.h"

#include "nsk_wide_end.h"

void nsk_depthwise_conv2d_s8_avx2(const nsk_depthwise_conv2d_wide *p, const int8_t *x,
                                  const int8_t *w, int8_t *y, void *scratch)
{
    nsk_depthwise_bands(p, x, w, y, scratch);
}
