/* Softmax, int8, portable C99. See softmax.h. */
#include "softmax.h"
#include "softmax_rows.h"

static inline float power(const void *powers, int32_t distance)
{
    return ((const float *)powers)[distance];
}

void nsk_softmax_s8(const nsk_softmax *p, const int8_t *x, int8_t *y)
{
    const nsk_softmax_shape shape = {p->outer, p->depth, p->inner, p->scale, p->zero};
    nsk_softmax_rows(&shape, p->powers, power, x, y);
}
