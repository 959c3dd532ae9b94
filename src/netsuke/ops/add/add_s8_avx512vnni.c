/* Addition, int8, same shapes, for AVX-512; plain C elsewhere. See add_wide.h. */
#include "nsk_avx512.h"

#include "add_wide.h"

#include "nsk_wide_end.h"

void nsk_add_s8_avx512vnni(const nsk_add_plain *p, const int8_t *a, const int8_t *b, int8_t *y)
{
    nsk_add_wide(p, a, b, y);
}
