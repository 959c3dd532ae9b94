/* Fully connected layer, int8, for AVX-512 VNNI; plain C elsewhere. See dense_wide.h. */
#include "nsk_avx512.h"

#include "dense_wide.h"

#include "nsk_wide_end.h"

void nsk_dense_s8_avx512vnni(const nsk_dense_wide *p, const int8_t *x, const int8_t *w, int8_t *y,
                             void *scratch)
{
    nsk_dense_bands(p, x, w, y, scratch);
}
