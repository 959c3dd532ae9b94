/* Fully connected layer on the last axis.
 *
 *   y[r,k] = clamp(b[k] + sum over c of w[k,c] * x[r,c])
 *
 * x: (rows, depth); w: (units, depth); y: (rows, units). Accumulators never overflow, see conv2d.h.
 */
#ifndef NSK_DENSE_H
#define NSK_DENSE_H

#include <stdint.h>

typedef struct {
    int32_t rows, units, depth;
    int32_t input_zero, weight_zero, output_zero;
    int32_t low, high;         /* stored bounds of the fused clamp */
    const int32_t *multiplier; /* one factor a unit, see nsk_fixed.h */
    const int8_t *shift;       /* one exponent a unit */
} nsk_dense;

typedef struct {
    int32_t rows, units, depth;
    int32_t output_zero;
    int32_t low, high; /* stored bounds of the fused clamp */
} nsk_dense_packed;

/* Four units share each input and, where all have one scale, its table; see dense_s8_dsp.c. */
typedef struct {
    int32_t rows, units, depth;
    int32_t output_zero;
    int32_t low, high;     /* stored bounds of the fused clamp */
    const int32_t *scales; /* five words for four units */
    int32_t scale_step;    /* words from four units' to the next's: 5, or 0 for one scale */
} nsk_dense_quads;

/* For wide vectors, see nsk_wide.h and dense_wide.h. */
typedef struct {
    int32_t rows, units, depth;
    int32_t output_zero;
    int32_t low, high;     /* stored bounds of the fused clamp */
    int32_t groups;        /* of cells that a row is */
    int32_t band;          /* rows that scratch holds */
    const int32_t *scales; /* of every vector of units */
} nsk_dense_wide;

/* Four units at a time, see dense_s8_fours.c. */
typedef struct {
    int32_t rows, units, depth;
    const int32_t *scale; /* six words a unit: start of the sum, and a scale of nsk_pairs.h */
} nsk_dense_fours;

/* Tables in program memory; |b| + sum of |w| * 128 < 2^23 for every unit. */
typedef struct {
    uint16_t rows, units, depth;
    int16_t output_zero;
    int16_t low, high;         /* stored bounds of the fused clamp */
    const int32_t *multiplier; /* one factor a unit, see nsk_fixed.h */
    const int8_t *shift;       /* one exponent a unit */
} nsk_dense_flash;

typedef struct {
    int32_t rows, units, depth;
    float low, high;
} nsk_dense_real;

void nsk_dense_s8(const nsk_dense *p, const int8_t *x, const int8_t *w, const int32_t *b,
                  int8_t *y);
void nsk_dense_s8_folded(const nsk_dense *p, const int8_t *x, const int8_t *w, const int32_t *b,
                         int8_t *y);
void nsk_dense_s8_avr(const nsk_dense_flash *p, const int8_t *x, const int8_t *w, const int32_t *b,
                      int8_t *y);
void nsk_dense_s8_dsp(const nsk_dense_quads *p, const int8_t *x, const int32_t *w, int8_t *y);
void nsk_dense_s8_sparse8(const nsk_dense_packed *p, const int8_t *x, const int32_t *w, int8_t *y);
void nsk_dense_s8_sparse4(const nsk_dense_packed *p, const int8_t *x, const int32_t *w, int8_t *y);
void nsk_dense_s8_dsp_sparse8(const nsk_dense_packed *p, const int8_t *x, const int32_t *w,
                              int8_t *y);
void nsk_dense_s8_dsp_sparse4(const nsk_dense_packed *p, const int8_t *x, const int32_t *w,
                              int8_t *y);
void nsk_dense_s8_fours(const nsk_dense_fours *p, const int8_t *x, const int8_t *w, int8_t *y);
void nsk_dense_s8_mve(const nsk_dense_packed *p, const int8_t *x, const int32_t *w, int8_t *y);
void nsk_dense_s8_avx2(const nsk_dense_wide *p, const int8_t *x, const int8_t *w, int8_t *y,
                       void *scratch);
void nsk_dense_s8_avx512vnni(const nsk_dense_wide *p, const int8_t *x, const int8_t *w, int8_t *y,
                             void *scratch);
void nsk_dense_s8_neon(const nsk_dense_wide *p, const int8_t *x, const int8_t *w, int8_t *y,
                       void *scratch);
void nsk_dense_s8_dotprod(const nsk_dense_wide *p, const int8_t *x, const int8_t *w, int8_t *y,
                          void *scratch);
void nsk_dense_f32(const nsk_dense_real *p, const float *x, const float *w, const float *b,
                   float *y);

#endif
