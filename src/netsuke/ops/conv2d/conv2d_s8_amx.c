/* Two-dimensional convolution, int8, for AMX; plain C elsewhere. See conv2d.h, conv2d_wide.h.
 *
 * A strip is up to 16 windows of a row, a super-strip as many strips as fill the four tiles of sums
 * beside the vectors of a block. Their sums go to a buffer of their own, so that they are scaled
 * while the tiles work on the next super-strip. The last strip of a row may begin early and write
 * some pixels twice. Without bands, x is read where it is: then a window is a pixel.
 */
#define NSK_FLIP 0
#include "nsk_avx512.h"

#include "conv2d_wide.h"
#include "nsk_amx.h"

#include "nsk_wide_end.h"

#ifdef NSK_AMX
#if defined(__clang__)
#pragma clang attribute push(                                                                      \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,amx-tile,amx-int8"))),    \
    apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,amx-tile,amx-int8")
#endif

/* Sums that wait to be scaled. */
typedef struct {
    int32_t sums[4][NSK_AMX_PIXELS][NSK_LANES] __attribute__((aligned(64)));
    int8_t *y[4];
    int32_t strips, done; /* of them pixels */
} waiting;

typedef struct {
    const nsk_conv2d_wide *p;
    const int8_t *image; /* padded rows */
    const int8_t *w;
    const int32_t *scales;
    nsk_limits limits;
    int32_t vectors, count; /* of the block */
    int32_t pixels, strips; /* of a strip, strips of a row */
    int32_t whole, rest;    /* steps of a run, bytes of its last */
    int32_t quota;          /* pixels to scale with each step */
    waiting buffers[2];
} work;

static inline void scale_pixel(const work *k, waiting *b)
{
    const int32_t strip = b->done / k->pixels, pixel = b->done % k->pixels;
    int8_t *y = b->y[strip] + pixel * k->p->out_c;
    const int32_t first = strip * k->vectors;
    b->done++;
    if (k->vectors == 4) {
        nsk_store4(y, k->count, _mm512_loadu_si512(b->sums[0][pixel]),
                   _mm512_loadu_si512(b->sums[1][pixel]), _mm512_loadu_si512(b->sums[2][pixel]),
                   _mm512_loadu_si512(b->sums[3][pixel]), k->scales, &k->limits);
    } else if (k->vectors == 2) {
        nsk_store2(y, k->count, _mm512_loadu_si512(b->sums[first][pixel]),
                   _mm512_loadu_si512(b->sums[first + 1][pixel]), k->scales, &k->limits);
    } else {
        nsk_store1(y, k->count, _mm512_loadu_si512(b->sums[first][pixel]), k->scales, &k->limits);
    }
}

static void scale_pixels(const work *k, waiting *b, int32_t count)
{
    const int32_t all = b->strips * k->pixels;
    for (; count > 0 && b->done < all; count--) {
        scale_pixel(k, b);
    }
}

/* One step of a dot product: activations of tile a by weights of tile b, into sums `tile`. */
#define PRODUCT(tile, a, b, bytes)                                                                 \
    {                                                                                              \
        _tile_loadd(b, bytes, k->vectors * 64);                                                    \
        _tile_dpbssd(tile, a, b);                                                                  \
    }

#define STEP(a, b)                                                                                 \
    if (k->vectors == 4) {                                                                         \
        _tile_loadd(a, at[0], step);                                                               \
        PRODUCT(0, a, b, w)                                                                        \
        PRODUCT(1, a, b, w + 64)                                                                   \
        PRODUCT(2, a, b, w + 128)                                                                  \
        PRODUCT(3, a, b, w + 192)                                                                  \
    } else if (k->vectors == 2) {                                                                  \
        _tile_loadd(a, at[0], step);                                                               \
        PRODUCT(0, a, b, w)                                                                        \
        PRODUCT(1, a, b, w + 64)                                                                   \
        _tile_loadd(a, at[1], step);                                                               \
        _tile_dpbssd(3, a, b);                                                                     \
        PRODUCT(2, a, b, w)                                                                        \
    } else {                                                                                       \
        _tile_loadd(a, at[0], step);                                                               \
        PRODUCT(0, a, b, w)                                                                        \
        _tile_loadd(a, at[1], step);                                                               \
        _tile_dpbssd(1, a, b);                                                                     \
        _tile_loadd(a, at[2], step);                                                               \
        _tile_dpbssd(2, a, b);                                                                     \
        _tile_loadd(a, at[3], step);                                                               \
        _tile_dpbssd(3, a, b);                                                                     \
    }

/* All products of a super-strip, while pixels of the one before are scaled. */
static void multiply(const work *k, const int8_t *const *strips, waiting *before)
{
    const nsk_conv2d_wide *p = k->p;
    const int32_t step = p->stride_w * p->in_c;
    const int8_t *w = k->w;
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (int32_t u = 0; u < p->kernel_h; u++) {
        for (int32_t v = 0; v < p->wide; v++) {
            const int32_t offset = u * p->dilation_h * p->line + v * p->dilation_w * p->in_c;
            const int8_t *at[4] = {strips[0] + offset, strips[1] + offset, strips[2] + offset,
                                   strips[3] + offset};
            for (int32_t s = 0; s < k->whole; s++) {
                STEP(4, 6)
                at[0] += NSK_AMX_DEPTH, at[1] += NSK_AMX_DEPTH;
                at[2] += NSK_AMX_DEPTH, at[3] += NSK_AMX_DEPTH;
                w += k->vectors * 64 * (NSK_AMX_DEPTH / 4);
                scale_pixels(k, before, k->quota);
            }
            if (k->rest > 0) {
                STEP(5, 7)
                w += k->vectors * 64 * (k->rest / 4);
                scale_pixels(k, before, k->quota);
            }
        }
    }
    scale_pixels(k, before, 4 * NSK_AMX_PIXELS);
}

static void keep(waiting *b)
{
    _tile_stored(0, b->sums[0], 64);
    _tile_stored(1, b->sums[1], 64);
    _tile_stored(2, b->sums[2], 64);
    _tile_stored(3, b->sums[3], 64);
}

/* All strips of `rows` output rows, for one block of channels. */
static void run_block(work *k, int8_t *y, int32_t rows)
{
    const nsk_conv2d_wide *p = k->p;
    const int32_t all = rows * k->strips, together = 4 / k->vectors;
    int32_t turn = 0;
    k->buffers[0].strips = k->buffers[1].strips = 0;
    k->buffers[0].done = k->buffers[1].done = 0;
    for (int32_t strip = 0; strip < all; strip += together, turn ^= 1) {
        const int8_t *from[4];
        waiting *now = &k->buffers[turn];
        const int32_t strips = all - strip < together ? all - strip : together;
        for (int32_t i = 0; i < 4; i++) {
            const int32_t at = strip + (i < strips ? i : 0);
            const int32_t row = at / k->strips, early = p->out_w - k->pixels;
            int32_t column = at % k->strips * k->pixels;
            column = column < early ? column : early;
            from[i] = k->image + (row * p->stride_h * p->line + column * p->stride_w * p->in_c);
            now->y[i] = y + (row * p->out_w + column) * p->out_c;
        }
        multiply(k, from, &k->buffers[turn ^ 1]);
        keep(now);
        now->strips = strips;
        now->done = 0;
    }
    scale_pixels(k, &k->buffers[turn ^ 1], 4 * NSK_AMX_PIXELS);
}

static void run_rows(work *k, const int8_t *w, int8_t *y, int32_t rows)
{
    const nsk_conv2d_wide *p = k->p;
    k->scales = p->scales;
    k->w = w;
    for (int32_t c = 0; c < p->out_c; c += k->vectors * NSK_LANES) {
        k->vectors = nsk_block(p->out_c - c);
        k->count = p->out_c - c;
        run_block(k, y + c, rows);
        k->w += p->kernel_h * p->wide * p->groups * k->vectors * 64;
        k->scales += k->vectors * NSK_SCALES;
    }
}

static void run(const nsk_conv2d_wide *p, const int8_t *x, const int8_t *w, int8_t *y,
                nsk_cell *scratch)
{
    work k = {.p = p, .image = x, .limits = {p->low, p->high, p->output_zero}};
    k.strips = (p->out_w + NSK_AMX_PIXELS - 1) / NSK_AMX_PIXELS;
    k.pixels = (p->out_w + k.strips - 1) / k.strips;
    k.whole = p->groups * 4 / NSK_AMX_DEPTH;
    k.rest = p->groups * 4 % NSK_AMX_DEPTH;
    const int32_t steps = p->kernel_h * p->wide * (k.whole + (k.rest > 0));
    k.quota = (4 * k.pixels + steps - 1) / steps;
    const nsk_tile_shapes shapes = nsk_shapes(k.pixels, k.rest);
    nsk_request_tiles();
    _tile_loadconfig(&shapes);
    if (p->band == 0) {
        run_rows(&k, w, y, p->out_h);
    } else {
        const nsk_band band = {p->in_h, p->in_w * p->in_c, p->pad_left * p->in_c, p->line,
                               p->input_zero};
        const int32_t reach = (p->kernel_h - 1) * p->dilation_h + 1;
        k.image = scratch;
        for (int32_t row = 0, rows; row < p->out_h; row += rows) {
            rows = p->out_h - row < p->band ? p->out_h - row : p->band;
            nsk_load_band(scratch, x, &band, row * p->stride_h - p->pad_top,
                          (rows - 1) * p->stride_h + reach);
            run_rows(&k, w, y + row * p->out_w * p->out_c, rows);
        }
    }
    _tile_release();
}

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#else
static void run(const nsk_conv2d_wide *p, const int8_t *x, const int8_t *w, int8_t *y,
                nsk_cell *scratch)
{
    if (p->band > 0) {
        nsk_conv2d_bands(p, x, w, y, scratch);
    } else {
        nsk_task task = nsk_conv2d_task(p, w);
        nsk_conv2d_rows(p, &task, x, y, p->out_h);
    }
}
#endif

void nsk_conv2d_s8_amx(const nsk_conv2d_wide *p, const int8_t *x, const int8_t *w, int8_t *y,
                       void *scratch)
{
    run(p, x, w, y, scratch);
}
