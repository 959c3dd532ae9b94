/* A linear model on one vector of integer features.
 *
 *   s[k] = b[k] + sum over c of w[k,c] * x[c]                             scores
 *   y    = the first k with the largest s[k]; of one score: s[0] > 0      class
 *
 * x: (depth) int8, uint8 or int16; w: (units, depth) int8; b, s: (units) int16 or int32; y: uint8.
 * Zero points are folded into b. No sum exceeds the 16 bits of an int16 b, or 24 bits of an int32 b.
 * 1 <= units <= 255. Tables may lie in program memory.
 */
#ifndef NSK_LINEAR_MODEL_H
#define NSK_LINEAR_MODEL_H

#include <stdint.h>

typedef struct {
    uint8_t units;
    uint16_t depth;
} nsk_linear_model;

/* Feature by feature: begin, push for each of them in order, end. w: (depth, units); `sums` holds
 * the place in w, then the sums. */
typedef struct {
    uint16_t place;
    int32_t sum[1];
} nsk_linear_model_sums;

#define NSK_LINEAR_MODEL(suffix, type)                                                             \
    void nsk_linear_model_##suffix(const nsk_linear_model *p, const type *x, const int8_t *w,      \
                                   const int32_t *b, int32_t *s);                                  \
    void nsk_linear_model_##suffix##_narrow(const nsk_linear_model *p, const type *x,              \
                                            const int8_t *w, const int16_t *b, int16_t *s);        \
    void nsk_linear_model_##suffix##_class(const nsk_linear_model *p, const type *x,               \
                                           const int8_t *w, const int32_t *b, uint8_t *y);         \
    void nsk_linear_model_##suffix##_class_narrow(const nsk_linear_model *p, const type *x,        \
                                                  const int8_t *w, const int16_t *b, uint8_t *y);

#define NSK_LINEAR_MODEL_STREAM(suffix, type, output)                                              \
    void nsk_linear_model_##suffix##_begin(const nsk_linear_model *p, const int8_t *w,             \
                                           const int32_t *b, output *y, void *sums);               \
    void nsk_linear_model_##suffix##_push(const nsk_linear_model *p, type x, const int8_t *w,      \
                                          const int32_t *b, output *y, void *sums);                \
    void nsk_linear_model_##suffix##_end(const nsk_linear_model *p, const int8_t *w,               \
                                         const int32_t *b, output *y, void *sums);

NSK_LINEAR_MODEL(s8, int8_t)
NSK_LINEAR_MODEL(u8, uint8_t)
NSK_LINEAR_MODEL(s16, int16_t)
NSK_LINEAR_MODEL_STREAM(s8_stream, int8_t, int32_t)
NSK_LINEAR_MODEL_STREAM(u8_stream, uint8_t, int32_t)
NSK_LINEAR_MODEL_STREAM(s16_stream, int16_t, int32_t)
NSK_LINEAR_MODEL_STREAM(s8_class_stream, int8_t, uint8_t)
NSK_LINEAR_MODEL_STREAM(u8_class_stream, uint8_t, uint8_t)
NSK_LINEAR_MODEL_STREAM(s16_class_stream, int16_t, uint8_t)

#undef NSK_LINEAR_MODEL
#undef NSK_LINEAR_MODEL_STREAM

#endif
