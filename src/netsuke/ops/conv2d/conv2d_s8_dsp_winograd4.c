/* Convolution, int8, by exact Winograd F(4 x 4, 3 x 3). See conv2d_winograd.h.
 *
 *   B' = 4 0 -5  0 1 0     A' = 1 1  1 1  1 0     G = diag(12 6 6 24 24 3)^-1   3  0 0
 *        0 -4 -4 1 1 0          0 1 -1 2 -2 0                                  -1 -1 -1
 *        0 4 -4 -1 1 0          0 1  1 4  4 0                                  -1  1 -1
 *        0 -2 -1 2 1 0          0 1 -1 8 -8 1                                   1  2 4
 *        0 2 -1 -2 1 0                                                          1 -2 4
 *        0 4 0 -5  0 1                                                          0  0 3
 *
 * (Lavin & Gray 2016, arXiv:1509.09308, with G scaled to integers and its first and last rows three
 * times as large.) With 24 diag^-1 = diag(2 4 4 1 1 8) taken into A', the tile is 576 times as
 * large. The factor 9 goes by its inverse modulo 2^32, the rest by a shift.
 */
#define NSK_TILE 4
#include "conv2d_winograd.h"

#define INVERSE_OF_9 UINT32_C(0x38E38E39)

/* Six lanes through B'. */
static inline void spread(uint32_t *d)
{
    const uint32_t e = nsk_sub16(d[4], d[2]), f = nsk_sub16(d[3], d[1]), g = nsk_sub16(d[0], d[2]);
    const uint32_t g2 = nsk_add16(g, g), f2 = nsk_add16(f, f);
    const uint32_t a2 = nsk_add16(d[2], d[2]), b2 = nsk_add16(d[1], d[1]);
    const uint32_t a = nsk_sub16(d[4], nsk_add16(a2, a2));
    const uint32_t b = nsk_sub16(d[3], nsk_add16(b2, b2));
    const uint32_t last = nsk_sub16(d[5], d[3]);
    d[0] = nsk_add16(nsk_add16(g2, g2), e);
    d[1] = nsk_add16(a, b);
    d[2] = nsk_sub16(a, b);
    d[3] = nsk_add16(e, f2);
    d[4] = nsk_sub16(e, f2);
    d[5] = nsk_sub16(last, nsk_add16(f2, f2));
}

/* The second pass: rows of the columns' results. */
static NSK_NOINLINE void spread_rows(const uint32_t *columns, uint32_t *v)
{
    for (int32_t i = 0; i < EDGE; i++, columns += EDGE, v += 4 * EDGE) {
        uint32_t d[EDGE] = {columns[0], columns[1], columns[2], columns[3], columns[4], columns[5]};
        spread(d);
        v[0] = d[0];
        v[4] = d[1];
        v[8] = d[2];
        v[12] = d[3];
        v[16] = d[4];
        v[20] = d[5];
    }
}

#define FORWARD(name, widen)                                                                       \
    static NSK_NOINLINE void name(const int8_t *at, int32_t line, int32_t pixel, uint32_t *v)      \
    {                                                                                              \
        uint32_t columns[POINTS];                                                                  \
        for (uint32_t *to = columns; to < columns + EDGE; to++, at += pixel) {                     \
            const int8_t *below = at + 3 * line;                                                   \
            uint32_t d[EDGE] = {widen(nsk_load4(at)),                                              \
                                widen(nsk_load4(at + line)),                                       \
                                widen(nsk_load4(at + 2 * line)),                                   \
                                widen(nsk_load4(below)),                                           \
                                widen(nsk_load4(below + line)),                                    \
                                widen(nsk_load4(below + 2 * line))};                               \
            spread(d);                                                                             \
            to[0] = d[0];                                                                          \
            to[EDGE] = d[1];                                                                       \
            to[2 * EDGE] = d[2];                                                                   \
            to[3 * EDGE] = d[3];                                                                   \
            to[4 * EDGE] = d[4];                                                                   \
            to[5 * EDGE] = d[5];                                                                   \
        }                                                                                          \
        spread_rows(columns, v);                                                                   \
    }

FORWARD(forward_even, nsk_even)
FORWARD(forward_odd, nsk_odd)

/* Six sums through A' diag: four results, the factors 1, 2, 4, 4 left out. */
static inline void gather(const uint32_t *m, uint32_t *r)
{
    const uint32_t p = m[1] + m[2], q = m[1] - m[2], s = m[3] + m[4], t = m[3] - m[4];
    r[0] = s + (p << 2) + (m[0] << 1);
    r[1] = t + (q << 1);
    r[2] = p + s;
    r[3] = q + (t << 1) + (m[5] << 1);
}

/* A row of outputs: `scale` is the exponent of the row's factor that was left out. */
static inline void finish_row(const uint32_t *row, const finish *f, int32_t scale, int8_t *y,
                              int32_t pixel)
{
    uint32_t r[4];
    gather(row, r);
    y[0] = finished(f, (int32_t)(r[0] * INVERSE_OF_9) >> (5 - scale));
    y[pixel] = finished(f, (int32_t)(r[1] * INVERSE_OF_9) >> (4 - scale));
    y[2 * pixel] = finished(f, (int32_t)(r[2] * INVERSE_OF_9) >> (3 - scale));
    y[3 * pixel] = finished(f, (int32_t)(r[3] * INVERSE_OF_9) >> (3 - scale));
}

static NSK_NOINLINE void inverse(const int32_t *m, const finish *f, int8_t *y, int32_t line,
                                 int32_t pixel)
{
    const finish local = *f; /* so that a store to y does not make it be read again */
    uint32_t rows[4 * EDGE];
    for (uint32_t *to = rows; to < rows + EDGE; to++, m += 8) {
        const uint32_t column[EDGE] = {
            (uint32_t)m[0],   (uint32_t)m[48],  (uint32_t)m[96],
            (uint32_t)m[144], (uint32_t)m[192], (uint32_t)m[240],
        };
        uint32_t r[4];
        gather(column, r);
        to[0] = r[0];
        to[EDGE] = r[1];
        to[2 * EDGE] = r[2];
        to[3 * EDGE] = r[3];
    }
    finish_row(rows, &local, 0, y, pixel);
    finish_row(rows + EDGE, &local, 1, y + line, pixel);
    finish_row(rows + 2 * EDGE, &local, 2, y + 2 * line, pixel);
    finish_row(rows + 3 * EDGE, &local, 2, y + 3 * line, pixel);
}

void nsk_conv2d_s8_dsp_winograd4(const nsk_conv2d_winograd *p, const int8_t *x, const int32_t *w,
                                 int8_t *y, void *scratch)
{
    convolve(p, x, w, y, (int32_t *)scratch);
}
