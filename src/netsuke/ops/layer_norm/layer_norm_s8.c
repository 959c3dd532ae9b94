/* Layer normalization, int8, portable C99. See layer_norm.h. */
#include "layer_norm.h"

/* floor(sqrt(x)) for x < 2^62, digit by digit. */
static int64_t square_root(int64_t x)
{
    int64_t root = 0;
    for (int64_t bit = INT64_C(1) << 60; bit != 0; bit >>= 2) {
        if (x >= root + bit) {
            x -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return root;
}

static void row_s8(const nsk_layer_norm *p, const int8_t *x, int8_t *y)
{
    int32_t total = 0;
    int32_t squares = 0;
    for (int32_t j = 0; j < p->depth; j++) {
        total += x[j];
        squares += x[j] * x[j];
    }
    int64_t spread = (int64_t)p->depth * squares - (int64_t)total * total + p->floor;
    int32_t shift = 0;
    for (spread = spread < 1 ? 1 : spread; spread < INT64_C(1) << 60; spread *= 4) {
        shift++;
    }
    const int64_t inverse = (INT64_C(1) << 61) / square_root(spread);
    for (int32_t j = 0; j < p->depth; j++) {
        const int64_t z = ((int64_t)p->depth * x[j] - total) * inverse >> (45 - shift);
        const int64_t sum = z * p->gain[j] + p->bias[j] * (INT64_C(1) << (8 + p->places));
        const int64_t half = INT64_C(1) << (15 + p->places);
        const int64_t steps = ((sum + half) >> (16 + p->places)) + p->zero;
        y[j] = (int8_t)(steps < -128 ? -128 : steps > 127 ? 127 : steps);
    }
}

void nsk_layer_norm_s8(const nsk_layer_norm *p, const int8_t *x, int8_t *y)
{
    for (int32_t r = 0; r < p->rows; r++) {
        row_s8(p, x + r * p->depth, y + r * p->depth);
    }
}
