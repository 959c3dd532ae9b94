/* Fully connected layer, int8, for AVX2; plain C elsewhere. See dense_wide.h. */
#include "nsk_avx2.h"

#include "dense_wide.h"

#include "nsk_wide_end.h"

void nsk_dense_s8_avx2(const nsk_dense_wide *p, const int8_t *x, const int8_t *w, int8_t *y,
                       void *scratch)
{
    nsk_dense_bands(p, x, w, y, scratch);
}
