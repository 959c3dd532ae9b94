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

/* Four lanes through B', written out: compilers for size would keep the loops. */
#define SPREAD(a, b, c, d, to, step)                                                               \
    do {                                                                                           \
        (to)[0] = nsk_sub16(a, c);                                                                 \
        (to)[step] = nsk_add16(b, c);                                                              \
        (to)[2 * (step)] = nsk_sub16(c, b);                                                        \
        (to)[3 * (step)] = nsk_sub16(b, d);                                                        \
    } while (0)

#define ROW(i)                                                                                     \
    do {                                                                                           \
        const uint32_t a = columns[4 * (i)], b = columns[4 * (i) + 1];                             \
        const uint32_t c = columns[4 * (i) + 2], d = columns[4 * (i) + 3];                         \
        SPREAD(a, b, c, d, v + 16 * (i), 4);                                                       \
    } while (0)

#define COLUMN(j, widen)                                                                           \
    do {                                                                                           \
        const uint32_t a = widen(nsk_load4(at)), b = widen(nsk_load4(at + line));                  \
        const uint32_t c = widen(nsk_load4(at + 2 * line)), d = widen(nsk_load4(at + 3 * line));   \
        SPREAD(a, b, c, d, columns + (j), EDGE);                                                   \
        at += pixel;                                                                               \
    } while (0)

/* The second pass: rows of the columns' results. */
static NSK_NOINLINE void spread_rows(const uint32_t *columns, uint32_t *v)
{
    ROW(0);
    ROW(1);
    ROW(2);
    ROW(3);
}

#define FORWARD(name, widen)                                                                       \
    static NSK_NOINLINE void name(const int8_t *at, int32_t line, int32_t pixel, uint32_t *v)      \
    {                                                                                              \
        uint32_t columns[POINTS];                                                                  \
        COLUMN(0, widen);                                                                          \
        COLUMN(1, widen);                                                                          \
        COLUMN(2, widen);                                                                          \
        COLUMN(3, widen);                                                                          \
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
