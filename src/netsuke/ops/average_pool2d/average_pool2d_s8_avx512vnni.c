/* Average pooling, int8, for AVX-512; plain C elsewhere. See average_pool2d_wide.h. */
#include "nsk_avx512.h"

#include "average_pool2d_wide.h"

#include "nsk_wide_end.h"

void nsk_average_pool2d_s8_avx512vnni(const nsk_average_pool2d *p, const int8_t *x, int8_t *y)
{
    nsk_average_wide(p, x, y);
}
