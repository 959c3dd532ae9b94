/* Tensors one behind the other along an axis.
 *
 * With the axes before it as rows, row r of y is row r of every input in turn. Inputs and y hold
 * elements of any type and do not overlap. There is one function for each number of inputs from 1
 * to NSK_CONCAT_INPUTS: nsk_concat2_any(p, x0, x1, y) joins two.
 */
#ifndef NSK_CONCAT_H
#define NSK_CONCAT_H

#include <stdint.h>

#define NSK_CONCAT_INPUTS 32

typedef struct {
    int32_t rows;
    const int32_t *run; /* bytes of one row of each input */
} nsk_concat;

/* The names of n inputs, and their declarations. */
#define NSK_CONCAT_X1 x0
#define NSK_CONCAT_X2 NSK_CONCAT_X1, x1
#define NSK_CONCAT_X3 NSK_CONCAT_X2, x2
#define NSK_CONCAT_X4 NSK_CONCAT_X3, x3
#define NSK_CONCAT_X5 NSK_CONCAT_X4, x4
#define NSK_CONCAT_X6 NSK_CONCAT_X5, x5
#define NSK_CONCAT_X7 NSK_CONCAT_X6, x6
#define NSK_CONCAT_X8 NSK_CONCAT_X7, x7
#define NSK_CONCAT_X9 NSK_CONCAT_X8, x8
#define NSK_CONCAT_X10 NSK_CONCAT_X9, x9
#define NSK_CONCAT_X11 NSK_CONCAT_X10, x10
#define NSK_CONCAT_X12 NSK_CONCAT_X11, x11
#define NSK_CONCAT_X13 NSK_CONCAT_X12, x12
#define NSK_CONCAT_X14 NSK_CONCAT_X13, x13
#define NSK_CONCAT_X15 NSK_CONCAT_X14, x14
#define NSK_CONCAT_X16 NSK_CONCAT_X15, x15
#define NSK_CONCAT_X17 NSK_CONCAT_X16, x16
#define NSK_CONCAT_X18 NSK_CONCAT_X17, x17
#define NSK_CONCAT_X19 NSK_CONCAT_X18, x18
#define NSK_CONCAT_X20 NSK_CONCAT_X19, x19
#define NSK_CONCAT_X21 NSK_CONCAT_X20, x20
#define NSK_CONCAT_X22 NSK_CONCAT_X21, x21
#define NSK_CONCAT_X23 NSK_CONCAT_X22, x22
#define NSK_CONCAT_X24 NSK_CONCAT_X23, x23
#define NSK_CONCAT_X25 NSK_CONCAT_X24, x24
#define NSK_CONCAT_X26 NSK_CONCAT_X25, x25
#define NSK_CONCAT_X27 NSK_CONCAT_X26, x26
#define NSK_CONCAT_X28 NSK_CONCAT_X27, x27
#define NSK_CONCAT_X29 NSK_CONCAT_X28, x28
#define NSK_CONCAT_X30 NSK_CONCAT_X29, x29
#define NSK_CONCAT_X31 NSK_CONCAT_X30, x30
#define NSK_CONCAT_X32 NSK_CONCAT_X31, x31

#define NSK_CONCAT_IN1 const void *x0
#define NSK_CONCAT_IN2 NSK_CONCAT_IN1, const void *x1
#define NSK_CONCAT_IN3 NSK_CONCAT_IN2, const void *x2
#define NSK_CONCAT_IN4 NSK_CONCAT_IN3, const void *x3
#define NSK_CONCAT_IN5 NSK_CONCAT_IN4, const void *x4
#define NSK_CONCAT_IN6 NSK_CONCAT_IN5, const void *x5
#define NSK_CONCAT_IN7 NSK_CONCAT_IN6, const void *x6
#define NSK_CONCAT_IN8 NSK_CONCAT_IN7, const void *x7
#define NSK_CONCAT_IN9 NSK_CONCAT_IN8, const void *x8
#define NSK_CONCAT_IN10 NSK_CONCAT_IN9, const void *x9
#define NSK_CONCAT_IN11 NSK_CONCAT_IN10, const void *x10
#define NSK_CONCAT_IN12 NSK_CONCAT_IN11, const void *x11
#define NSK_CONCAT_IN13 NSK_CONCAT_IN12, const void *x12
#define NSK_CONCAT_IN14 NSK_CONCAT_IN13, const void *x13
#define NSK_CONCAT_IN15 NSK_CONCAT_IN14, const void *x14
#define NSK_CONCAT_IN16 NSK_CONCAT_IN15, const void *x15
#define NSK_CONCAT_IN17 NSK_CONCAT_IN16, const void *x16
#define NSK_CONCAT_IN18 NSK_CONCAT_IN17, const void *x17
#define NSK_CONCAT_IN19 NSK_CONCAT_IN18, const void *x18
#define NSK_CONCAT_IN20 NSK_CONCAT_IN19, const void *x19
#define NSK_CONCAT_IN21 NSK_CONCAT_IN20, const void *x20
#define NSK_CONCAT_IN22 NSK_CONCAT_IN21, const void *x21
#define NSK_CONCAT_IN23 NSK_CONCAT_IN22, const void *x22
#define NSK_CONCAT_IN24 NSK_CONCAT_IN23, const void *x23
#define NSK_CONCAT_IN25 NSK_CONCAT_IN24, const void *x24
#define NSK_CONCAT_IN26 NSK_CONCAT_IN25, const void *x25
#define NSK_CONCAT_IN27 NSK_CONCAT_IN26, const void *x26
#define NSK_CONCAT_IN28 NSK_CONCAT_IN27, const void *x27
#define NSK_CONCAT_IN29 NSK_CONCAT_IN28, const void *x28
#define NSK_CONCAT_IN30 NSK_CONCAT_IN29, const void *x29
#define NSK_CONCAT_IN31 NSK_CONCAT_IN30, const void *x30
#define NSK_CONCAT_IN32 NSK_CONCAT_IN31, const void *x31

/* clang-format off */
#define NSK_CONCAT_EACH(F) \
    F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) F(10) F(11) F(12) F(13) F(14) F(15) F(16) \
    F(17) F(18) F(19) F(20) F(21) F(22) F(23) F(24) F(25) F(26) F(27) F(28) F(29) F(30) F(31) F(32)
/* clang-format on */

#define NSK_CONCAT_DECLARE(n)                                                                      \
    void nsk_concat##n##_any(const nsk_concat *p, NSK_CONCAT_IN##n, void *y);
NSK_CONCAT_EACH(NSK_CONCAT_DECLARE)

#endif
