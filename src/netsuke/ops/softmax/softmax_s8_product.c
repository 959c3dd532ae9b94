/* Softmax, int8, portable C99: three eighths of the tables. See softmax.h.
 *
 * The power of distance d is coarse[d / 16] * fine[d % 16] in float32, moved by moves[d] float32
 * numbers: exactly what the table of nsk_softmax_s8 has.
 */
#include <string.h>

#include "softmax.h"
#include "softmax_rows.h"

static NSK_NOINLINE float power(const void *tables, int32_t distance)
{
    const nsk_softmax_product *p = tables;
    float value = p->coarse[distance >> 4] * p->fine[distance & 15];
    const int32_t move = p->moves[distance];
    uint32_t bits;
    memcpy(&bits, &value, 4);
    bits += (uint32_t)move;
    memcpy(&value, &bits, 4);
    return value;
}

void nsk_softmax_s8_product(const nsk_softmax_product *p, const int8_t *x, int8_t *y)
{
    const nsk_softmax_shape shape = {p->outer, p->depth, p->inner, p->scale, p->zero};
    nsk_softmax_rows(&shape, p, power, x, y);
}
