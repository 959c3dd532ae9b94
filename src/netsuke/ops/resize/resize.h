/* Images of another size.
 *
 * x: (in_h, in_w, channels); y: (out_h, out_w, channels); channels last. The compiler of the model
 * has computed where each output row and column looks; the tables have out_h or out_w entries.
 * x and y do not overlap.
 */
#ifndef NSK_RESIZE_H
#define NSK_RESIZE_H

#include <stdint.h>

/* y[i,j] = x[rows[i], columns[j]] */
typedef struct {
    int32_t in_w, out_h, out_w;
    int32_t run; /* bytes of a pixel */
    const uint16_t *rows, *columns;
} nsk_resize_nearest;

/* y[i,j] = (1 - a) * ((1 - b) * x[top, left] + b * x[top, right])
 *          + a * ((1 - b) * x[bottom, left] + b * x[bottom, right])
 * with a = down[i], b = along[j], in 1/1024 for integers: their product is rounded to nearest,
 * ties away from zero. */
typedef struct {
    int32_t in_w, out_h, out_w, channels;
    const uint16_t *top, *bottom, *left, *right;
    const uint16_t *down, *along; /* 0 .. 1023 */
} nsk_resize_bilinear;

typedef struct {
    int32_t in_w, out_h, out_w, channels;
    const uint16_t *top, *bottom, *left, *right;
    const float *down, *along; /* 0 .. 1 */
} nsk_resize_bilinear_real;

void nsk_resize_nearest_any(const nsk_resize_nearest *p, const void *x, void *y);
void nsk_resize_bilinear_s8(const nsk_resize_bilinear *p, const int8_t *x, int8_t *y);
void nsk_resize_bilinear_f32(const nsk_resize_bilinear_real *p, const float *x, float *y);

#endif
