/* Two-dimensional convolution.
 *
 *   y[i,j,k] = clamp(b[k] + sum over u,v,c of w[k,u,v,c] * x[i*stride+u*dilation-pad, ..., c])
 *
 * x: (in_h, in_w, in_c); w: (out_c, kernel_h, kernel_w, in_c / groups); y: (out_h, out_w, out_c);
 * channels last, padding is real zero. Accumulators never overflow: the compiler of the model has
 * proved |b[k]| + sum|w[k]| * max|x - input_zero| < 2^31 for every channel.
 */
#ifndef NSK_CONV2D_H
#define NSK_CONV2D_H

#include <stdint.h>

#define NSK_CONV2D_ROWS 16    /* of a kernel, where a table of rows is on the stack */
#define NSK_CONV2D_WINDOW 160 /* bytes, where two windows are on the stack */

typedef struct {
    int32_t in_h, in_w, in_c;
    int32_t out_h, out_w, out_c;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t dilation_h, dilation_w;
    int32_t pad_top, pad_left;
    int32_t groups;
    int32_t input_zero, weight_zero, output_zero;
    int32_t low, high;         /* stored bounds of the fused clamp */
    const int32_t *multiplier; /* out_c factors, see nsk_fixed.h */
    const int8_t *shift;       /* out_c exponents */
    const int32_t *folded;     /* b[k] - input_zero * sum of w[k], where a kernel asks for it */
    int32_t ring;              /* input rows that scratch holds, for y == x */
} nsk_conv2d;

typedef struct {
    int32_t in_h, in_w, in_c;
    int32_t out_h, out_w, out_c;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t dilation_h, dilation_w;
    int32_t pad_top, pad_left;
    int32_t input_zero, output_zero;
    int32_t low, high; /* stored bounds of the fused clamp */
    int32_t run;       /* bytes of a window that are contiguous in the image */
    int32_t pairs;     /* words of a couple of channels, see conv2d_s8_dsp.c */
    int32_t flat;      /* whether windows are pixels, and the same as the outputs' */
    int32_t ring;      /* padded input rows that scratch holds behind the strip, or 0 */
    int32_t line;      /* bytes of such a row */
    int32_t groups;    /* where a kernel asks for it: in_c and out_c are then of one group */
} nsk_conv2d_packed;

/* For pairs of pixels, see nsk_pairs.h. */
typedef struct {
    int32_t in_h, in_w, in_c;
    int32_t out_h, out_w, out_c;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t dilation_h, dilation_w;
    int32_t pad_top, pad_left;
    int32_t input_zero;
    int32_t depth; /* bytes of a window, rounded up to a multiple of four */
    int32_t ring;  /* input rows that scratch holds behind the strip, for y == x */
} nsk_conv2d_pairs;

/* For quads of channels, see nsk_quads.h. */
typedef struct {
    int32_t in_h, in_w, in_c;
    int32_t out_h, out_w, out_c;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t dilation_h;
    int32_t pad_top, pad_left;
    int32_t groups;
    int32_t input_zero, output_zero;
    int32_t low, high; /* stored bounds of the fused clamp */
    int32_t blocks;    /* 16 bytes of a window each */
    int32_t columns;   /* of the padded image that a row of outputs sees */
} nsk_conv2d_quads;

/* 3 x 3, stride 1, one group: see conv2d_winograd.h. */
typedef struct {
    int32_t in_h, in_w, in_c;
    int32_t out_h, out_w, out_c;
    int32_t pad_top, pad_left;
    int32_t input_zero, output_zero;
    int32_t low, high; /* stored bounds of the fused clamp */
    int32_t pairs;     /* of input channels */
    int32_t columns;   /* tiles of a row */
    int32_t band;      /* rows of tiles whose input rows scratch holds */
    int32_t line;      /* bytes of such an input row */
} nsk_conv2d_winograd;

/* For weights of which most are 0, see conv2d_sparse.h. */
typedef struct {
    int32_t in_h, in_w, in_c;
    int32_t out_h, out_w, out_c;
    int32_t stride_h, stride_w;
    int32_t pad_top, pad_left;
    int32_t input_zero, output_zero;
    int32_t low, high;     /* stored bounds of the fused clamp */
    int32_t rows, columns; /* of the image with its border; 0 where it has none */
} nsk_conv2d_sparse;

/* For wide vectors, see nsk_wide.h and conv2d_wide.h. */
typedef struct {
    int32_t in_h, in_w, in_c;
    int32_t out_h, out_w, out_c;
    int32_t kernel_h, wide; /* runs of a window: rows, and runs in a row */
    int32_t stride_h, stride_w;
    int32_t dilation_h, dilation_w;
    int32_t pad_top, pad_left;
    int32_t input_zero, output_zero;
    int32_t low, high;     /* stored bounds of the fused clamp */
    int32_t groups;        /* of cells that a run is */
    int32_t band;          /* output rows whose input rows scratch holds, or 0: x is read */
    int32_t line;          /* cells of a padded row */
    const int32_t *scales; /* of every vector of channels */
} nsk_conv2d_wide;

typedef struct {
    int32_t in_h, in_w, in_c;
    int32_t out_h, out_w, out_c;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t dilation_h, dilation_w;
    int32_t pad_top, pad_left;
    int32_t groups;
    float low, high;
} nsk_conv2d_real;

void nsk_conv2d_s8(const nsk_conv2d *p, const int8_t *x, const int8_t *w, const int32_t *b,
                   int8_t *y);
void nsk_conv2d_s8_folded(const nsk_conv2d *p, const int8_t *x, const int8_t *w, const int32_t *b,
                          int8_t *y);
void nsk_conv2d_s8_folded_ring(const nsk_conv2d *p, const int8_t *x, const int8_t *w,
                               const int32_t *b, int8_t *y, void *scratch);
void nsk_conv2d_s8_folded_back(const nsk_conv2d *p, const int8_t *x, const int8_t *w,
                               const int32_t *b, int8_t *y, void *scratch);
void nsk_conv2d_s8_strip(const nsk_conv2d *p, const int8_t *x, const int8_t *w, const int32_t *b,
                         int8_t *y, void *scratch);
void nsk_conv2d_s8_strip_small(const nsk_conv2d *p, const int8_t *x, const int8_t *w,
                               const int32_t *b, int8_t *y);
void nsk_conv2d_s8_dsp(const nsk_conv2d_packed *p, const int8_t *x, const int32_t *w, int8_t *y,
                       void *scratch);
void nsk_conv2d_s8_dsp_small(const nsk_conv2d_packed *p, const int8_t *x, const int32_t *w,
                             int8_t *y);
void nsk_conv2d_s8_pairs(const nsk_conv2d_pairs *p, const int8_t *x, const int32_t *w, int8_t *y,
                         void *scratch);
void nsk_conv2d_s8_pairs_flat(const nsk_conv2d_pairs *p, const int8_t *x, const int32_t *w,
                              int8_t *y, void *scratch);
void nsk_conv2d_s8_mve(const nsk_conv2d_quads *p, const int8_t *x, const int32_t *w, int8_t *y,
                       void *scratch);
void nsk_conv2d_s8_mve_flat(const nsk_conv2d_quads *p, const int8_t *x, const int32_t *w, int8_t *y,
                            void *scratch);
void nsk_conv2d_s8_dsp_any(const nsk_conv2d_packed *p, const int8_t *x, const int32_t *w, int8_t *y,
                           void *scratch);
void nsk_conv2d_s8_dsp_winograd2(const nsk_conv2d_winograd *p, const int8_t *x, const int32_t *w,
                                 int8_t *y, void *scratch);
void nsk_conv2d_s8_dsp_winograd4(const nsk_conv2d_winograd *p, const int8_t *x, const int32_t *w,
                                 int8_t *y, void *scratch);
void nsk_conv2d_s8_avx2(const nsk_conv2d_wide *p, const int8_t *x, const int8_t *w, int8_t *y,
                        void *scratch);
void nsk_conv2d_s8_avx512vnni(const nsk_conv2d_wide *p, const int8_t *x, const int8_t *w, int8_t *y,
                              void *scratch);
void nsk_conv2d_s8_amx(const nsk_conv2d_wide *p, const int8_t *x, const int8_t *w, int8_t *y,
                       void *scratch);
void nsk_conv2d_s8_neon(const nsk_conv2d_wide *p, const int8_t *x, const int8_t *w, int8_t *y,
                        void *scratch);
void nsk_conv2d_s8_dotprod(const nsk_conv2d_wide *p, const int8_t *x, const int8_t *w, int8_t *y,
                           void *scratch);
void nsk_conv2d_f32(const nsk_conv2d_real *p, const float *x, const float *w, const float *b,
                    float *y);
void nsk_conv2d_s8_sparse(const nsk_conv2d_sparse *p, const int8_t *x, const int32_t *w, int8_t *y,
                          void *scratch);
void nsk_conv2d_s8_dsp_sparse(const nsk_conv2d_sparse *p, const int8_t *x, const int32_t *w,
                              int8_t *y, void *scratch);

#endif
