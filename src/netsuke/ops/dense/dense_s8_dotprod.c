/* Fully connected layer, int8, for AArch64 with SDOT; plain C elsewhere. See dense_wide.h. */
#define NSK_DOTPROD 1
#include "nsk_neon.h"

#include "dense_wide.h"

#include "nsk_wide_end.h"

void nsk_dense_s8_dotprod(const nsk_dense_wide *p, const int8_t *x, const int8_t *w, int8_t *y,
                          void *scratch)
{
    nsk_dense_bands(p, x, w, y, scratch);
}
