/* Table of a function of one int8, portable C99. See table.h. */
#include "table.h"

void nsk_table_s8(const nsk_table *p, const int8_t *x, int8_t *y)
{
    const int8_t *middle = p->table + 128;
    for (int32_t i = 0; i < p->count; i++) {
        y[i] = middle[x[i]];
    }
}
