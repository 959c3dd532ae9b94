/* Division, int8, portable C99. See div.h. */
#include "div.h"
#include "nsk_broadcast.h"
#include "nsk_fixed.h"

/* Bits of 0 <= x <= 255. */
static int32_t length(int32_t x)
{
    int32_t bits = 0;
    for (; x != 0; x >>= 1) {
        bits++;
    }
    return bits;
}

/* a / b times the factor, within [-256, 256]; see the Python meaning for its roundings. */
static int32_t divide(const nsk_div *p, int32_t a, int32_t b)
{
    if (b == 0) {
        return a > 0 ? 256 : a < 0 ? -256 : 0;
    }
    if (b < 0) {
        a = -a;
        b = -b;
    }
    const int32_t room = 31 - length(a < 0 ? ~a : a);
    const int32_t quotient = nsk_high((int32_t)((uint32_t)a << room), p->reciprocals[b]);
    const int32_t exponent = p->shift - (length(b) - 1) - room;
    if (exponent < -31) {
        return 0;
    }
    return nsk_clamp(nsk_requantize_away(quotient, p->multiplier, exponent), -256, 256);
}

void nsk_div_s8(const nsk_div *p, const int8_t *a, const int8_t *b, int8_t *y)
{
    const int32_t row = p->extent[p->rank - 1];
    const int32_t next_a = p->step_a[p->rank - 1];
    const int32_t next_b = p->step_b[p->rank - 1];
    nsk_walk walk = {0};
    do {
        const int8_t *row_a = a + walk.a;
        const int8_t *row_b = b + walk.b;
        for (int32_t i = 0; i < row; i++, row_a += next_a, row_b += next_b) {
            const int32_t steps = divide(p, *row_a - p->zero_a, *row_b - p->zero_b);
            *y++ = (int8_t)nsk_clamp(steps + p->zero_y, p->low, p->high);
        }
    } while (nsk_walk_next(&walk, p->rank, p->extent, p->step_a, p->step_b));
}
