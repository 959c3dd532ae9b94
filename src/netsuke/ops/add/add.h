/* Addition, broadcasting.
 *
 *   y = clamp(a + b)
 *
 * The axes of y that the operands step through together are merged: extents and the steps of
 * a and b in elements, the last axis last (0 where an operand stays), see nsk_broadcast.h.
 * y may be a or b, where that one has y's shape.
 */
#ifndef NSK_ADD_H
#define NSK_ADD_H

#include <stdint.h>

typedef struct {
    int32_t rank;
    const int32_t *extent, *step_a, *step_b;
    int32_t zero_a, multiplier_a, shift_a; /* factors to a common scale, at most 1/2 */
    int32_t zero_b, multiplier_b, shift_b;
    int32_t zero_y, multiplier_y, shift_y;
    int32_t low, high; /* stored bounds of the fused clamp */
} nsk_add;

/* Operands of one shape: see add_s8_dsp.c and add_s8_mve.c. */
typedef struct {
    int32_t count;
    int32_t swapped;      /* whether b has the larger scale */
    int32_t offset_major; /* what the zero points add to the doubled sum */
    int32_t offset_minor, multiplier_minor, round_minor, right_minor; /* right 0: equal scales */
    int32_t multiplier_y, round_y, right_y; /* round_y holds the zero point too */
    int32_t ties; /* whether ties of the shifts must go away from zero; else upward is right */
    int32_t low, high;
} nsk_add_plain;

/* Operands of one shape: y = clamp((a[x] + b[x']) >> shift). */
typedef struct {
    int32_t count;
    const int32_t *a, *b; /* 256 entries, for -128 ... 127 */
    int32_t shift;
    int32_t low, high; /* stored bounds of the fused clamp */
} nsk_add_table;

typedef struct {
    int32_t rank;
    const int32_t *extent, *step_a, *step_b;
    float low, high;
} nsk_add_real;

void nsk_add_s8(const nsk_add *p, const int8_t *a, const int8_t *b, int8_t *y);
void nsk_add_s8_table(const nsk_add_table *p, const int8_t *a, const int8_t *b, int8_t *y);
void nsk_add_s8_dsp(const nsk_add_plain *p, const int8_t *a, const int8_t *b, int8_t *y);
void nsk_add_s8_mve(const nsk_add_plain *p, const int8_t *a, const int8_t *b, int8_t *y);
void nsk_add_s8_avx2(const nsk_add_plain *p, const int8_t *a, const int8_t *b, int8_t *y);
void nsk_add_s8_avx512vnni(const nsk_add_plain *p, const int8_t *a, const int8_t *b, int8_t *y);
void nsk_add_s8_neon(const nsk_add_plain *p, const int8_t *a, const int8_t *b, int8_t *y);
void nsk_add_f32(const nsk_add_real *p, const float *a, const float *b, float *y);

#endif
