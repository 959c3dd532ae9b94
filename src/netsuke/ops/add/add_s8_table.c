/* Addition, int8, same shapes, portable C99, for 32-bit cores without a long multiplication. See
 * add.h: the tables hold both operands' shares of the output, and the model's compiler has compared
 * all 65536 sums. */
#include "add.h"
#include "nsk_fixed.h"

void nsk_add_s8_table(const nsk_add_table *p, const int8_t *a, const int8_t *b, int8_t *y)
{
    const int32_t *const table_a = p->a + 128, *const table_b = p->b + 128;
    const int32_t low = p->low, high = p->high, shift = p->shift;
    for (int32_t i = 0; i < p->count; i++) {
        y[i] = (int8_t)nsk_clamp((table_a[a[i]] + table_b[b[i]]) >> shift, low, high);
    }
}
