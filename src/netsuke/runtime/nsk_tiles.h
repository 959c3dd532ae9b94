/* Register tiles: 1 to 6 pixels by 1, 2 or 4 vectors of channels, over all runs of a window.
 * Needs one of the headers of nsk_wide.h. The macros write the tiles out, so that every sum is a
 * variable of its own and stays in a register.
 */
#ifndef NSK_TILES_H
#define NSK_TILES_H

#include "nsk_wide.h"

/* One row of pixels against one block of channels. */
typedef struct {
    const nsk_cell *x;     /* the first window of the row */
    int32_t step;          /* cells from one window to the next */
    int32_t high, wide;    /* runs of a window: rows, and runs in a row */
    int32_t down, right;   /* cells from one run to the next */
    int32_t groups;        /* NSK_GROUP cells of a run each */
    const int8_t *w;       /* the block's weights */
    const int32_t *scales; /* the block's */
    nsk_limits limits;
    int8_t *y;
    int32_t next;  /* bytes from one output pixel to the next */
    int32_t count; /* channels of the block that there are */
} nsk_task;

#define NSK_PIXELS_1(F, A) F(0, A)
#define NSK_PIXELS_2(F, A) NSK_PIXELS_1(F, A) F(1, A)
#define NSK_PIXELS_3(F, A) NSK_PIXELS_2(F, A) F(2, A)
#define NSK_PIXELS_4(F, A) NSK_PIXELS_3(F, A) F(3, A)
#define NSK_PIXELS_5(F, A) NSK_PIXELS_4(F, A) F(4, A)
#define NSK_PIXELS_6(F, A) NSK_PIXELS_5(F, A) F(5, A)

#define NSK_BEGIN(m, A) NSK_BEGIN_##A(m)
#define NSK_BEGIN_1(m) nsk_sums s##m##0 = nsk_no_sums();
#define NSK_BEGIN_2(m) NSK_BEGIN_1(m) nsk_sums s##m##1 = nsk_no_sums();
#define NSK_BEGIN_4(m) NSK_BEGIN_2(m) nsk_sums s##m##2 = nsk_no_sums(), s##m##3 = nsk_no_sums();

#define NSK_LOAD_1 const nsk_weights w0 = nsk_load_weights(w);
#define NSK_LOAD_2 NSK_LOAD_1 const nsk_weights w1 = nsk_load_weights(w + NSK_STEP);
#define NSK_LOAD_4                                                                                 \
    NSK_LOAD_2 const nsk_weights w2 = nsk_load_weights(w + 2 * NSK_STEP),                          \
                                 w3 = nsk_load_weights(w + 3 * NSK_STEP);

#define NSK_DOT(m, A)                                                                              \
    {                                                                                              \
        const nsk_spread x = nsk_load_spread(at + m * step);                                       \
        NSK_DOT_##A(m)                                                                             \
    }
#define NSK_DOT_1(m) s##m##0 = nsk_dot(s##m##0, w0, x);
#define NSK_DOT_2(m) NSK_DOT_1(m) s##m##1 = nsk_dot(s##m##1, w1, x);
#define NSK_DOT_4(m)                                                                               \
    NSK_DOT_2(m) s##m##2 = nsk_dot(s##m##2, w2, x), s##m##3 = nsk_dot(s##m##3, w3, x);

#define NSK_END(m, A) NSK_END_##A(m)
#define NSK_END_1(m) nsk_store1(y + m * t->next, t->count, s##m##0, t->scales, &t->limits);
#define NSK_END_2(m) nsk_store2(y + m * t->next, t->count, s##m##0, s##m##1, t->scales, &t->limits);
#define NSK_END_4(m)                                                                               \
    nsk_store4(y + m * t->next, t->count, s##m##0, s##m##1, s##m##2, s##m##3, t->scales,           \
               &t->limits);

#define NSK_STEP (NSK_LANES * NSK_GROUP) /* bytes of weights of a vector */

#define NSK_TILE(P, A)                                                                             \
    static NSK_NOINLINE void nsk_tile_##P##_##A(const nsk_task *t, int32_t pixel)                  \
    {                                                                                              \
        const nsk_cell *row = t->x + pixel * t->step;                                              \
        const int8_t *w = t->w;                                                                    \
        int8_t *y = t->y + pixel * t->next;                                                        \
        const int32_t step = t->step;                                                              \
        NSK_PIXELS_##P(NSK_BEGIN, A) for (int32_t u = 0; u < t->high; u++, row += t->down)         \
        {                                                                                          \
            for (int32_t v = 0; v < t->wide; v++) {                                                \
                const nsk_cell *at = row + v * t->right;                                           \
                for (int32_t g = t->groups; g > 0; g--, at += NSK_GROUP, w += A * NSK_STEP) {      \
                    NSK_LOAD_##A NSK_PIXELS_##P(NSK_DOT, A)                                        \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
        NSK_PIXELS_##P(NSK_END, A)                                                                 \
    }

#ifdef NSK_ELEMENTS
#define NSK_MOST_PIXELS 6
#define NSK_TILES(A)                                                                               \
    NSK_TILE(1, A)                                                                                 \
    NSK_TILE(2, A)                                                                                 \
    NSK_TILE(3, A) NSK_TILE(4, A) NSK_TILE(5, A) NSK_TILE(6, A)
#define NSK_NAMES(A)                                                                               \
    {nsk_tile_1_##A, nsk_tile_2_##A, nsk_tile_3_##A, nsk_tile_4_##A, nsk_tile_5_##A, nsk_tile_6_##A}
#else /* plain C has no registers to fill */
#define NSK_MOST_PIXELS 1
#undef NSK_PIXELS
#define NSK_PIXELS(vectors) 1
#define NSK_TILES(A) NSK_TILE(1, A)
#define NSK_NAMES(A) {nsk_tile_1_##A}
#endif

NSK_TILES(1)
NSK_TILES(2)
NSK_TILES(4)

/* `pixels` pixels in tiles of nearly the same size. */
static inline void nsk_run_row(const nsk_task *t, int32_t vectors, int32_t pixels)
{
    typedef void tile(const nsk_task *, int32_t);
    static tile *const tiles[3][NSK_MOST_PIXELS] = {NSK_NAMES(1), NSK_NAMES(2), NSK_NAMES(4)};
    const int32_t parts = (pixels + NSK_PIXELS(vectors) - 1) / NSK_PIXELS(vectors);
    for (int32_t pixel = 0, part = 0; part < parts; part++) {
        const int32_t size = (pixels - pixel + parts - part - 1) / (parts - part);
        tiles[vectors >> 1][size - 1](t, pixel);
        pixel += size;
    }
}

/* Vectors of the next block of `left` channels: 4 while there are that many, else 2 and 1. */
static inline int32_t nsk_block(int32_t left)
{
    return left > 3 * NSK_LANES ? 4 : left > NSK_LANES ? 2 : 1;
}

#endif
