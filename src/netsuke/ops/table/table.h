/* Any function of one int8, as a table.
 *
 *   y[i] = table[x[i] + 128]
 *
 * y may be x.
 */
#ifndef NSK_TABLE_H
#define NSK_TABLE_H

#include <stdint.h>

typedef struct {
    int32_t count;
    const int8_t *table; /* 256 results, for -128 to 127 */
} nsk_table;

void nsk_table_s8(const nsk_table *p, const int8_t *x, int8_t *y);

#endif
