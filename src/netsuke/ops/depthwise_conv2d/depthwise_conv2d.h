/* Depthwise two-dimensional convolution.
 *
 *   y[i,j,k] = clamp(b[k] + sum over u,v of w[u,v,k] * x[i*stride+u*dilation-pad, ..., k / m])
 *
 * x: (in_h, in_w, in_c); w: (kernel_h, kernel_w, out_c); y: (out_h, out_w, out_c); m = out_c / in_c;
 * channels last, padding is real zero. Accumulators never overflow, see conv2d.h. y may start at x
 * when m = 1 and the first pixel that window n sees is no earlier than pixel n, for every n.
 */
#ifndef NSK_DEPTHWISE_CONV2D_H
#define NSK_DEPTHWISE_CONV2D_H

#include <stdint.h>

typedef struct {
    int32_t in_h, in_w, in_c;
    int32_t out_h, out_w, out_c;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t dilation_h, dilation_w;
    int32_t pad_top, pad_left;
    int32_t input_zero, weight_zero, output_zero;
    int32_t low, high;         /* stored bounds of the fused clamp */
    const int32_t *multiplier; /* out_c factors, see nsk_fixed.h */
    const int8_t *shift;       /* out_c exponents */
} nsk_depthwise_conv2d;

/* One channel at a time, as a plane of bytes; a row may be an image's column. */
typedef struct {
    int32_t in_h, in_w, in_c;
    int32_t in_down, in_right; /* bytes of x to the next row and column */
    int32_t out_h, out_w, out_c;
    int32_t out_down, out_right; /* bytes of y */
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t dilation_h, dilation_w;
    int32_t pad_top, pad_left;
    int32_t input_zero, output_zero;
    int32_t low, high;
    const int32_t *multiplier;
    const int8_t *shift;
} nsk_depthwise_conv2d_bytes;

/* One channel at a time, as a plane of int16; a plane's row may be an image's column, so `row` and
 * `column` below are the plane's directions. */
typedef struct {
    int32_t in_c, multiplier;      /* channels, and output channels of each */
    int32_t rows, columns;         /* pixels that are copied into the plane */
    int32_t in_row, in_column;     /* bytes of x from one to the next */
    int32_t out_rows, out_columns; /* outputs */
    int32_t out_row, out_column;   /* bytes of y from one to the next */
    int32_t plane_h, plane_w;      /* rows that scratch holds; plane_w is even */
    int32_t band;                  /* output rows that such a plane gives */
    int32_t pad_row, pad_column;   /* where the copied pixels start */
    int32_t stride_row, stride_column, dilation_row;
    int32_t input_zero, output_zero;
    int32_t low, high;
} nsk_depthwise_conv2d_plane;

/* The same with any window and any dilation along a row, see depthwise_conv2d_s8_dsp_any.c. */
typedef struct {
    int32_t in_c, multiplier;      /* channels, and output channels of each */
    int32_t rows, columns;         /* pixels that are copied into the plane */
    int32_t in_row, in_column;     /* bytes of x from one to the next */
    int32_t out_rows, out_columns; /* outputs */
    int32_t out_row, out_column;   /* bytes of y from one to the next */
    int32_t plane_h, plane_w;      /* rows that scratch holds, and their elements */
    int32_t band;                  /* output rows that such a plane gives */
    int32_t pad_row, pad_column;   /* where the copied pixels start */
    int32_t stride_row, stride_column, dilation_row, dilation_column;
    int32_t taps_row, taps_column; /* of the window */
    int32_t steps;                 /* words of a row of taps */
    int32_t classes;               /* outputs number j, j + classes, ... see the same phase */
    int32_t apart;                 /* elements of a phase between two such outputs */
    int32_t phase_w;               /* elements of a phase, even */
    int32_t input_zero, output_zero;
    int32_t low, high;
} nsk_depthwise_conv2d_phases;

/* One channel at a time, as lines of words, see depthwise_conv2d_s8_pairs.c; a line may be an
 * image's column. */
typedef struct {
    int32_t in_h, in_w, in_c;
    int32_t in_down, in_right; /* bytes of x to the next row and column */
    int32_t out_h, out_w, out_c;
    int32_t out_down, out_right; /* bytes of y */
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t dilation_h, dilation_w;
    int32_t pad_top, pad_left;
    int32_t input_zero;
    int32_t lines, width; /* rows that scratch holds, and words of each */
} nsk_depthwise_conv2d_pairs;

/* Eight channels at a time, as words that hold four rows, see depthwise_conv2d_s8_mve.c; a row may
 * be an image's column. */
typedef struct {
    int32_t channels;
    int32_t rows, columns;     /* of the image */
    int32_t in_row, in_column; /* bytes of x from one to the next */
    int32_t out_rows, out_columns;
    int32_t out_row, out_column; /* bytes of y from one to the next */
    int32_t stride_row, stride_column;
    int32_t dilation_row, dilation_column;
    int32_t pad_row, pad_column;
    int32_t width; /* columns of words that scratch holds */
    int32_t input_zero, output_zero;
    int32_t low, high;
} nsk_depthwise_conv2d_words;

/* For wide vectors, see nsk_wide.h and depthwise_wide.h; a pixel may be several of the image's. */
typedef struct {
    int32_t in_h, bytes;    /* rows of the image, bytes of one */
    int32_t out_h, pixels;  /* rows of the output, pixels of one */
    int32_t channels, step; /* bytes of an output pixel, cells from one window to the next */
    int32_t stride_h;
    int32_t pad_top, before; /* padding, in rows and in cells */
    int32_t input_zero, output_zero;
    int32_t low, high;      /* stored bounds of the fused clamp */
    int32_t reach;          /* rows of a window, gaps included */
    int32_t band, line;     /* output rows whose input rows scratch holds; cells of such a row */
    int32_t groups;         /* of NSK_TAPS taps each */
    const int32_t *offsets; /* cells from a window's first to each tap's */
    const int32_t *scales;  /* of every vector of channels */
} nsk_depthwise_conv2d_wide;

typedef struct {
    int32_t in_h, in_w, in_c;
    int32_t out_h, out_w, out_c;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t dilation_h, dilation_w;
    int32_t pad_top, pad_left;
    float low, high;
} nsk_depthwise_conv2d_real;

void nsk_depthwise_conv2d_s8(const nsk_depthwise_conv2d *p, const int8_t *x, const int8_t *w,
                             const int32_t *b, int8_t *y);
void nsk_depthwise_conv2d_s8_plane(const nsk_depthwise_conv2d_bytes *p, const int8_t *x,
                                   const int8_t *w, const int32_t *b, int8_t *y, void *scratch);
void nsk_depthwise_conv2d_s8_dsp_any(const nsk_depthwise_conv2d_phases *p, const int8_t *x,
                                     const int32_t *w, int8_t *y, void *scratch);
void nsk_depthwise_conv2d_s8_dsp(const nsk_depthwise_conv2d_plane *p, const int8_t *x,
                                 const int32_t *w, int8_t *y, void *scratch);
void nsk_depthwise_conv2d_s8_dsp_bands(const nsk_depthwise_conv2d_plane *p, const int8_t *x,
                                       const int32_t *w, int8_t *y, void *scratch);
void nsk_depthwise_conv2d_s8_pairs(const nsk_depthwise_conv2d_pairs *p, const int8_t *x,
                                   const int32_t *w, int8_t *y, void *scratch);
void nsk_depthwise_conv2d_s8_mve(const nsk_depthwise_conv2d_words *p, const int8_t *x,
                                 const int8_t *w, int8_t *y, void *scratch);
void nsk_depthwise_conv2d_s8_avx2(const nsk_depthwise_conv2d_wide *p, const int8_t *x,
                                  const int8_t *w, int8_t *y, void *scratch);
void nsk_depthwise_conv2d_s8_avx512vnni(const nsk_depthwise_conv2d_wide *p, const int8_t *x,
                                        const int8_t *w, int8_t *y, void *scratch);
void nsk_depthwise_conv2d_s8_neon(const nsk_depthwise_conv2d_wide *p, const int8_t *x,
                                  const int8_t *w, int8_t *y, void *scratch);
void nsk_depthwise_conv2d_f32(const nsk_depthwise_conv2d_real *p, const float *x, const float *w,
                              const float *b, float *y);

#endif
