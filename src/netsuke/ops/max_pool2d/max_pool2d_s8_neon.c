/* Max pooling, int8, for AArch64; plain C elsewhere. See max_pool2d_wide.h. */
#include "nsk_neon.h"

#include "max_pool2d_wide.h"

#include "nsk_wide_end.h"

void nsk_max_pool2d_s8_neon(const nsk_max_pool2d *p, const int8_t *x, int8_t *y)
{
    nsk_max_wide(p, x, y);
}
