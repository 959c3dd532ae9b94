/* Matrix of small integers times a vector, requantized by a shift.
 *
 *   y[k] = clamp((b[k] + sum over j of w[k,j] * x[j]) >> shift, low, high)
 *
 * x: (features,) int8; w: (rows, features) int8, at most 255 rows; b: (rows,) int32; y: (rows,) int8 or int16.
 * The shift is arithmetic (towards minus infinity); rounding is part of b. Accumulators cannot
 * overflow: the graph is refused if |b| + sum of |w| * 128 reaches 2^31.
 *
 * w is written row by row as `codes`:
 *   dense    every weight, one byte
 *   gaps     pairs (gap, weight): go `gap` elements on, multiply; the first gap of a row counts
 *            from its first element; counts[k] pairs belong to row k
 *   nibbles  the same in one byte: gap in the low half, weight -8 .. 7 in the high half
 * Places that are too far away for one gap are reached by entries of weight 0.
 *
 * With `narrow`, (|b| + sum of |w| * 128) * 2^places stays below 2^23, places = 4 for nibbles and
 * else 0, so that an 8-bit core may accumulate in three bytes; with 2 there is room for a shift of
 * 8 - shift - places bits to the left, too.
 * `bias` is int32_t with `wide_bias`, else int16_t; with `scaled_bias` it holds b * 2^places.
 */
#ifndef NSK_PROJECTION_H
#define NSK_PROJECTION_H

#include <stdint.h>

typedef struct {
    uint16_t features;
    uint8_t rows, shift, narrow, wide_bias, scaled_bias;
    int16_t low, high;
    const void *bias;
    const uint8_t *codes;
    const uint8_t *counts; /* entries of each row; null when dense */
} nsk_projection;

/* Element by element: begin, push for each of them in order, end. Here w is written column by
 * column, at least one entry each, `more` telling that another one of the same column follows:
 *   columns         two bytes: 2 * row + more, weight; sums of 32 bits
 *   column nibbles  one byte: the weight in the high half, then 2 * row + more; at most 8 rows and
 *                   sums of 16 bits: |b| + sum of |w| * 128 < 2^15
 *
 * Or chunk by chunk (chunk nibbles): push takes the address of the next elements, of the last chunk
 * as many as are left. w is written chunk after chunk, and within one row by row: a byte that is
 * the number of entries + 2, then entries as nibbles, the first gap from the chunk's first element.
 * Sums of 24 bits: (|b| + sum of |w| * 128) * 16 < 2^23. */
typedef struct {
    uint16_t place; /* in codes */
    int16_t sum[1];
} nsk_projection_short_sums;

typedef struct {
    uint16_t place;
    int32_t sum[1];
} nsk_projection_sums;

typedef struct {
    uint8_t place[2], sum[1][3]; /* bytes, the lowest first, so that it is as small everywhere */
} nsk_projection_bytes;

void nsk_projection_s8(const nsk_projection *p, const int8_t *x, int8_t *y);
void nsk_projection_s8_wide(const nsk_projection *p, const int8_t *x, int16_t *y);
void nsk_projection_s8_gaps(const nsk_projection *p, const int8_t *x, int8_t *y);
void nsk_projection_s8_gaps_wide(const nsk_projection *p, const int8_t *x, int16_t *y);
void nsk_projection_s8_nibbles(const nsk_projection *p, const int8_t *x, int8_t *y);
void nsk_projection_s8_nibbles_wide(const nsk_projection *p, const int8_t *x, int16_t *y);

#define NSK_PROJECTION_STREAM(name, type)                                                          \
    void name##_begin(const nsk_projection *p, type *y, void *state);                              \
    void name##_push(const nsk_projection *p, int8_t x, type *y, void *state);                     \
    void name##_end(const nsk_projection *p, type *y, void *state);

NSK_PROJECTION_STREAM(nsk_projection_s8_columns, int8_t)
NSK_PROJECTION_STREAM(nsk_projection_s8_columns_wide, int16_t)
NSK_PROJECTION_STREAM(nsk_projection_s8_column_nibbles, int8_t)
NSK_PROJECTION_STREAM(nsk_projection_s8_column_nibbles_wide, int16_t)

#undef NSK_PROJECTION_STREAM

#define NSK_PROJECTION_CHUNKS(name, type)                                                          \
    void name##_begin(const nsk_projection *p, type *y, void *state);                              \
    void name##_push(const nsk_projection *p, const int8_t *x, type *y, void *state);              \
    void name##_end(const nsk_projection *p, type *y, void *state);

NSK_PROJECTION_CHUNKS(nsk_projection_s8_chunk_nibbles, int8_t)
NSK_PROJECTION_CHUNKS(nsk_projection_s8_chunk_nibbles_wide, int16_t)

#undef NSK_PROJECTION_CHUNKS

#endif
