/* Addition, int8, same shapes, for Armv7E-M DSP; plain C elsewhere. See add.h.
 *
 * The operand with the larger scale is multiplied by exactly 1/2, a shift; the other one by
 * minor_multiplier * 2^(-minor_right - 31). Everything is doubled, see nsk_high_plus. Ties of the
 * shifts go away from zero: the product's sign bit is added before the shift.
 */
#include "add.h"
#include "nsk_dsp.h"

/* round + (x + sign) >> right, ties away from zero; no sign where right is 0. */
static inline int32_t away(int32_t x, int32_t round, int32_t right)
{
    return (x + (x >> 31) + round) >> right;
}

static inline int8_t finish(const nsk_add_plain *p, int32_t twice)
{
    const int32_t scaled = nsk_high_plus(twice, p->multiplier_y, 0);
    return nsk_saturate8(away(scaled, p->round_y, p->right_y));
}

static inline int8_t add(const nsk_add_plain *p, int32_t major, int32_t minor)
{
    const int32_t product =
        nsk_high_plus(minor * (1 << 21) + p->offset_minor, p->multiplier_minor, 0);
    const int32_t other = away(product, p->round_minor, p->right_minor);
    return finish(p, major * (1 << 20) + p->offset_major + 2 * other);
}

static inline int8_t add_equal(const nsk_add_plain *p, int32_t a, int32_t b)
{
    return finish(p, (a + b) * (1 << 20) + p->offset_major);
}

void nsk_add_s8_dsp(const nsk_add_plain *p, const int8_t *a, const int8_t *b, int8_t *y)
{
    const nsk_add_plain local = *p; /* so that a store to y does not make it be read again */
    const int8_t *major = p->swapped ? b : a;
    const int8_t *minor = p->swapped ? a : b;
    int32_t i = 0;
    if (local.right_minor > 0) {
        for (; i + 4 <= local.count; i += 4) {
            const int8_t y0 = add(&local, major[i], minor[i]);
            const int8_t y1 = add(&local, major[i + 1], minor[i + 1]);
            const int8_t y2 = add(&local, major[i + 2], minor[i + 2]);
            const int8_t y3 = add(&local, major[i + 3], minor[i + 3]);
            y[i] = y0, y[i + 1] = y1, y[i + 2] = y2, y[i + 3] = y3;
        }
        for (; i < local.count; i++) {
            y[i] = add(&local, major[i], minor[i]);
        }
    } else {
        for (; i + 4 <= local.count; i += 4) {
            const int8_t y0 = add_equal(&local, major[i], minor[i]);
            const int8_t y1 = add_equal(&local, major[i + 1], minor[i + 1]);
            const int8_t y2 = add_equal(&local, major[i + 2], minor[i + 2]);
            const int8_t y3 = add_equal(&local, major[i + 3], minor[i + 3]);
            y[i] = y0, y[i + 1] = y1, y[i + 2] = y2, y[i + 3] = y3;
        }
        for (; i < local.count; i++) {
            y[i] = add_equal(&local, major[i], minor[i]);
        }
    }
    if (local.low > -128 || local.high < 127) {
        for (i = 0; i < local.count; i++) {
            y[i] = (int8_t)(y[i] < local.low ? local.low : y[i] > local.high ? local.high : y[i]);
        }
    }
}
