/* The vectors of nsk_wide.h in plain C, for compilers and machines without them: the same bits. */
#ifndef NSK_PLAIN_LANES_H
#define NSK_PLAIN_LANES_H

typedef struct {
    int32_t lane[NSK_LANES];
} nsk_sums;

typedef struct {
    int8_t byte[NSK_LANES * NSK_GROUP];
} nsk_weights;

typedef struct {
    nsk_cell cell[NSK_GROUP];
} nsk_spread;

static inline nsk_sums nsk_no_sums(void)
{
    const nsk_sums none = {{0}};
    return none;
}

static inline nsk_weights nsk_load_weights(const int8_t *w)
{
    nsk_weights loaded;
    memcpy(&loaded, w, sizeof loaded);
    return loaded;
}

static inline nsk_spread nsk_load_spread(const nsk_cell *x)
{
    nsk_spread loaded;
    memcpy(&loaded, x, sizeof loaded);
    return loaded;
}

static inline nsk_sums nsk_dot(nsk_sums sums, nsk_weights w, nsk_spread x)
{
    for (int32_t i = 0; i < NSK_LANES * NSK_GROUP; i++) {
        sums.lane[NSK_SUM_OF(i)] += w.byte[i] * x.cell[NSK_CELL_OF(i)];
    }
    return sums;
}

static inline void nsk_copy_cells(nsk_cell *to, const int8_t *x, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        to[i] = (nsk_cell)(x[i] ^ NSK_FLIP);
    }
}

/* Byte `channel` of a block, see the order in nsk_wide.h. */
static inline int8_t nsk_byte(const nsk_sums *sums, int32_t vectors, int32_t channel,
                              const int32_t *scales, const nsk_limits *limits)
{
    const int32_t part = channel / 4 / vectors, vector = channel / 4 % vectors;
    const int32_t lane = 4 * part + channel % 4;
    const int64_t y =
        nsk_scaled_lane(sums[vector].lane[lane], scales + vector * NSK_SCALES, lane, limits);
    return (int8_t)(y < limits->low ? limits->low : y > limits->high ? limits->high : y);
}

static inline void nsk_store(int8_t *y, int32_t count, const nsk_sums *sums, int32_t vectors,
                             const int32_t *scales, const nsk_limits *limits)
{
    const int32_t all = vectors * NSK_LANES;
    for (int32_t i = 0; i < (count < all ? count : all); i++) {
        y[i] = nsk_byte(sums, vectors, i, scales, limits);
    }
}

static inline void nsk_store1(int8_t *y, int32_t count, nsk_sums a, const int32_t *scales,
                              const nsk_limits *limits)
{
    nsk_store(y, count, &a, 1, scales, limits);
}

static inline void nsk_store2(int8_t *y, int32_t count, nsk_sums a, nsk_sums b,
                              const int32_t *scales, const nsk_limits *limits)
{
    const nsk_sums both[2] = {a, b};
    nsk_store(y, count, both, 2, scales, limits);
}

static inline void nsk_store4(int8_t *y, int32_t count, nsk_sums a, nsk_sums b, nsk_sums c,
                              nsk_sums d, const int32_t *scales, const nsk_limits *limits)
{
    const nsk_sums all[4] = {a, b, c, d};
    nsk_store(y, count, all, 4, scales, limits);
}

/* Every channel by itself, see nsk_wide.h. */
static inline void nsk_channels(int8_t *y, int32_t count, const nsk_cell *x, const int32_t *offsets,
                                int32_t groups, const int8_t *w, const int32_t *scales,
                                const nsk_limits *limits)
{
    const int32_t vectors = NSK_CHANNELS / NSK_LANES;
    nsk_sums sums[NSK_CHANNELS / NSK_LANES] = {{{0}}};
    for (int32_t g = 0; g < groups; g++, offsets += NSK_TAPS, w += NSK_CHANNELS * NSK_TAPS) {
        for (int32_t channel = 0; channel < NSK_CHANNELS && channel < count; channel++) {
            const int32_t vector = channel / 4 % vectors;
            const int32_t lane = channel / 4 / vectors * 4 + channel % 4;
            for (int32_t t = 0; t < NSK_TAPS; t++) {
                sums[vector].lane[lane] +=
                    w[(vector * NSK_LANES + lane) * NSK_TAPS + t] * x[offsets[t] + channel];
            }
        }
    }
    nsk_store(y, count, sums, vectors, scales, limits);
}

#endif
