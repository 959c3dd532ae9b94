/* Matrix products, int8, portable C99. See matmul.h. */
#include "matmul.h"
#include "nsk_broadcast.h"
#include "nsk_fixed.h"

void nsk_matmul_s8(const nsk_matmul *p, const int8_t *a, const int8_t *b, int8_t *y)
{
    nsk_walk walk = {0};
    do {
        const int8_t *row = a + walk.a;
        for (int32_t i = 0; i < p->rows; i++, row += p->depth) {
            for (int32_t j = 0; j < p->columns; j++) {
                const int8_t *column = b + walk.b + j;
                int32_t sum = 0;
                for (int32_t k = 0; k < p->depth; k++, column += p->columns) {
                    sum += (row[k] - p->zero_a) * (*column - p->zero_b);
                }
                *y++ = nsk_store_away_s8(sum, p->multiplier, p->shift, p->zero_y, -128, 127);
            }
        }
    } while (nsk_walk_next(&walk, p->outer + 1, p->extent, p->step_a, p->step_b));
}
