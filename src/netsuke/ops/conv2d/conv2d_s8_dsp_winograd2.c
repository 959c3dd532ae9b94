/* Convolution, int8, by exact Winograd F(2 x 2, 3 x 3). See conv2d_winograd.h.
 *
 *   B' = 1  0 -1  0     A' = 1 1  1  0     2 G = 2  0 0
 *        0  1  1  0          0 1 -1 -1           1  1 1
 *        0 -1  1  0                              1 -1 1
 *        0  1  0 -1                              0  0 2
 *
 * (Lavin & Gray 2016, arXiv:1509.09308.) With 2 G the tile is four times as large.
 */
#define NSK_TILE 2
#include "conv2d_winograd.h"

/* Four lanes through B'. */
static inline void spread(uint32_t *d)
{
    const uint32_t first = nsk_sub16(d[0], d[2]), last = nsk_sub16(d[1], d[3]);
    const uint32_t sum = nsk_add16(d[1], d[2]), difference = nsk_sub16(d[2], d[1]);
    d[0] = first;
    d[1] = sum;
    d[2] = difference;
    d[3] = last;
}

/* The second pass: rows of the columns' results. */
static NSK_NOINLINE void spread_rows(const uint32_t *columns, uint32_t *v)
{
    for (int32_t i = 0; i < EDGE; i++, columns += EDGE, v += 4 * EDGE) {
        uint32_t d[EDGE] = {columns[0], columns[1], columns[2], columns[3]};
        spread(d);
        v[0] = d[0];
        v[4] = d[1];
        v[8] = d[2];
        v[12] = d[3];
    }
}

#define FORWARD(name, widen)                                                                       \
    static NSK_NOINLINE void name(const int8_t *at, int32_t line, int32_t pixel, uint32_t *v)      \
    {                                                                                              \
        uint32_t columns[POINTS];                                                                  \
        for (uint32_t *to = columns; to < columns + EDGE; to++, at += pixel) {                     \
            uint32_t d[EDGE] = {widen(nsk_load4(at)), widen(nsk_load4(at + line)),                 \
                                widen(nsk_load4(at + 2 * line)), widen(nsk_load4(at + 3 * line))}; \
            spread(d);                                                                             \
            to[0] = d[0];                                                                          \
            to[EDGE] = d[1];                                                                       \
            to[2 * EDGE] = d[2];                                                                   \
            to[3 * EDGE] = d[3];                                                                   \
        }                                                                                          \
        spread_rows(columns, v);                                                                   \
    }

FORWARD(forward_even, nsk_even)
FORWARD(forward_odd, nsk_odd)

/* One column of the products through A'. */
static inline void gather(const int32_t *m, uint32_t *top, uint32_t *bottom)
{
    const uint32_t b = (uint32_t)m[32], c = (uint32_t)m[64];
    *top = (uint32_t)m[0] + b + c;
    *bottom = b - c - (uint32_t)m[96];
}

static NSK_NOINLINE void inverse(const int32_t *m, const finish *f, int8_t *y, int32_t line,
                                 int32_t pixel)
{
    uint32_t a0, a1, a2, a3, b0, b1, b2, b3;
    gather(m, &a0, &b0);
    gather(m + 8, &a1, &b1);
    gather(m + 16, &a2, &b2);
    gather(m + 24, &a3, &b3);
    const finish local = *f; /* so that a store to y does not make it be read again */
    y[0] = finished(&local, (int32_t)(a0 + a1 + a2) >> 1);
    y[pixel] = finished(&local, (int32_t)(a1 - a2 - a3) >> 1);
    y += line;
    y[0] = finished(&local, (int32_t)(b0 + b1 + b2) >> 1);
    y[pixel] = finished(&local, (int32_t)(b1 - b2 - b3) >> 1);
}

void nsk_conv2d_s8_dsp_winograd2(const nsk_conv2d_winograd *p, const int8_t *x, const int32_t *w,
                                 int8_t *y, void *scratch)
{
    convolve(p, x, w, y, (int32_t *)scratch);
}
