/* Matrix products, float32, portable C99. See matmul.h. */
#include "matmul.h"
#include "nsk_broadcast.h"

void nsk_matmul_f32(const nsk_matmul_real *p, const float *a, const float *b, float *y)
{
    nsk_walk walk = {0};
    do {
        const float *row = a + walk.a;
        for (int32_t i = 0; i < p->rows; i++, row += p->depth) {
            for (int32_t j = 0; j < p->columns; j++) {
                const float *column = b + walk.b + j;
                float sum = 0.0f;
                for (int32_t k = 0; k < p->depth; k++, column += p->columns) {
                    sum += row[k] * *column;
                }
                *y++ = sum;
            }
        }
    } while (nsk_walk_next(&walk, p->outer + 1, p->extent, p->step_a, p->step_b));
}
