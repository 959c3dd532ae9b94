/* Addition, int8, same shapes, for AVX2; plain C elsewhere. See add_wide.h. */
#include "nsk_avx2.h"

#include "add_wide.h"

#include "nsk_wide_end.h"

void nsk_add_s8_avx2(const nsk_add_plain *p, const int8_t *a, const int8_t *b, int8_t *y)
{
    nsk_add_wide(p, a, b, y);
}
