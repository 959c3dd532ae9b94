/* A tensor cut into pieces along an axis.
 *
 * With the axes before it as rows, row r of x is row r of every output in turn. x and the outputs
 * hold elements of any type and do not overlap. There is one function for each number of outputs
 * from 1 to NSK_SPLIT_OUTPUTS: nsk_split2_any(p, x, y0, y1) cuts in two.
 */
#ifndef NSK_SPLIT_H
#define NSK_SPLIT_H

#include <stdint.h>

#define NSK_SPLIT_OUTPUTS 32

typedef struct {
    int32_t rows;
    const int32_t *run; /* bytes of one row of each output */
} nsk_split;

/* The names of n outputs, and their declarations. */
#define NSK_SPLIT_Y1 y0
#define NSK_SPLIT_Y2 NSK_SPLIT_Y1, y1
#define NSK_SPLIT_Y3 NSK_SPLIT_Y2, y2
#define NSK_SPLIT_Y4 NSK_SPLIT_Y3, y3
#define NSK_SPLIT_Y5 NSK_SPLIT_Y4, y4
#define NSK_SPLIT_Y6 NSK_SPLIT_Y5, y5
#define NSK_SPLIT_Y7 NSK_SPLIT_Y6, y6
#define NSK_SPLIT_Y8 NSK_SPLIT_Y7, y7
#define NSK_SPLIT_Y9 NSK_SPLIT_Y8, y8
#define NSK_SPLIT_Y10 NSK_SPLIT_Y9, y9
#define NSK_SPLIT_Y11 NSK_SPLIT_Y10, y10
#define NSK_SPLIT_Y12 NSK_SPLIT_Y11, y11
#define NSK_SPLIT_Y13 NSK_SPLIT_Y12, y12
#define NSK_SPLIT_Y14 NSK_SPLIT_Y13, y13
#define NSK_SPLIT_Y15 NSK_SPLIT_Y14, y14
#define NSK_SPLIT_Y16 NSK_SPLIT_Y15, y15
#define NSK_SPLIT_Y17 NSK_SPLIT_Y16, y16
#define NSK_SPLIT_Y18 NSK_SPLIT_Y17, y17
#define NSK_SPLIT_Y19 NSK_SPLIT_Y18, y18
#define NSK_SPLIT_Y20 NSK_SPLIT_Y19, y19
#define NSK_SPLIT_Y21 NSK_SPLIT_Y20, y20
#define NSK_SPLIT_Y22 NSK_SPLIT_Y21, y21
#define NSK_SPLIT_Y23 NSK_SPLIT_Y22, y22
#define NSK_SPLIT_Y24 NSK_SPLIT_Y23, y23
#define NSK_SPLIT_Y25 NSK_SPLIT_Y24, y24
#define NSK_SPLIT_Y26 NSK_SPLIT_Y25, y25
#define NSK_SPLIT_Y27 NSK_SPLIT_Y26, y26
#define NSK_SPLIT_Y28 NSK_SPLIT_Y27, y27
#define NSK_SPLIT_Y29 NSK_SPLIT_Y28, y28
#define NSK_SPLIT_Y30 NSK_SPLIT_Y29, y29
#define NSK_SPLIT_Y31 NSK_SPLIT_Y30, y30
#define NSK_SPLIT_Y32 NSK_SPLIT_Y31, y31

#define NSK_SPLIT_OUT1 void *y0
#define NSK_SPLIT_OUT2 NSK_SPLIT_OUT1, void *y1
#define NSK_SPLIT_OUT3 NSK_SPLIT_OUT2, void *y2
#define NSK_SPLIT_OUT4 NSK_SPLIT_OUT3, void *y3
#define NSK_SPLIT_OUT5 NSK_SPLIT_OUT4, void *y4
#define NSK_SPLIT_OUT6 NSK_SPLIT_OUT5, void *y5
#define NSK_SPLIT_OUT7 NSK_SPLIT_OUT6, void *y6
#define NSK_SPLIT_OUT8 NSK_SPLIT_OUT7, void *y7
#define NSK_SPLIT_OUT9 NSK_SPLIT_OUT8, void *y8
#define NSK_SPLIT_OUT10 NSK_SPLIT_OUT9, void *y9
#define NSK_SPLIT_OUT11 NSK_SPLIT_OUT10, void *y10
#define NSK_SPLIT_OUT12 NSK_SPLIT_OUT11, void *y11
#define NSK_SPLIT_OUT13 NSK_SPLIT_OUT12, void *y12
#define NSK_SPLIT_OUT14 NSK_SPLIT_OUT13, void *y13
#define NSK_SPLIT_OUT15 NSK_SPLIT_OUT14, void *y14
#define NSK_SPLIT_OUT16 NSK_SPLIT_OUT15, void *y15
#define NSK_SPLIT_OUT17 NSK_SPLIT_OUT16, void *y16
#define NSK_SPLIT_OUT18 NSK_SPLIT_OUT17, void *y17
#define NSK_SPLIT_OUT19 NSK_SPLIT_OUT18, void *y18
#define NSK_SPLIT_OUT20 NSK_SPLIT_OUT19, void *y19
#define NSK_SPLIT_OUT21 NSK_SPLIT_OUT20, void *y20
#define NSK_SPLIT_OUT22 NSK_SPLIT_OUT21, void *y21
#define NSK_SPLIT_OUT23 NSK_SPLIT_OUT22, void *y22
#define NSK_SPLIT_OUT24 NSK_SPLIT_OUT23, void *y23
#define NSK_SPLIT_OUT25 NSK_SPLIT_OUT24, void *y24
#define NSK_SPLIT_OUT26 NSK_SPLIT_OUT25, void *y25
#define NSK_SPLIT_OUT27 NSK_SPLIT_OUT26, void *y26
#define NSK_SPLIT_OUT28 NSK_SPLIT_OUT27, void *y27
#define NSK_SPLIT_OUT29 NSK_SPLIT_OUT28, void *y28
#define NSK_SPLIT_OUT30 NSK_SPLIT_OUT29, void *y29
#define NSK_SPLIT_OUT31 NSK_SPLIT_OUT30, void *y30
#define NSK_SPLIT_OUT32 NSK_SPLIT_OUT31, void *y31

/* clang-format off */
#define NSK_SPLIT_EACH(F) \
    F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) F(10) F(11) F(12) F(13) F(14) F(15) F(16) \
    F(17) F(18) F(19) F(20) F(21) F(22) F(23) F(24) F(25) F(26) F(27) F(28) F(29) F(30) F(31) F(32)
/* clang-format on */

#define NSK_SPLIT_DECLARE(n)                                                                       \
    void nsk_split##n##_any(const nsk_split *p, const void *x, NSK_SPLIT_OUT##n);
NSK_SPLIT_EACH(NSK_SPLIT_DECLARE)

#endif
