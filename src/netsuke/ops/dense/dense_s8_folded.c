/* Fully connected layer, int8, portable C99, for weights with zero point 0. See dense.h.
 *
 * Two rows times two units at a time, in registers. The input zero point is folded into the bias:
 * b[k] is the layer's bias minus input_zero * sum of w[k]; the model's compiler has proved that
 * |b[k]| + sum|w[k]| * 128 < 2^31.
 */
#include "dense.h"
#include "nsk_dot.h"
#include "nsk_fixed.h"

static inline int8_t store(const nsk_dense *p, int32_t sum, int32_t k)
{
    return nsk_store_s8(sum, p->multiplier[k], p->shift[k], p->output_zero, p->low, p->high);
}

void nsk_dense_s8_folded(const nsk_dense *p, const int8_t *x, const int8_t *w, const int32_t *b,
                         int8_t *y)
{
    nsk_dot task;
    task.length = p->depth;
    for (int32_t r = 0; r < p->rows;) {
        const int32_t pair = r + 1 < p->rows;
        for (int32_t k = 0; k < p->units; k += 2) {
            const int32_t last = k + 1 < p->units ? k + 1 : k;
            task.x0 = x;
            task.x1 = x + p->depth;
            task.w0 = w + k * p->depth;
            task.w1 = w + last * p->depth;
            task.sum[0] = task.sum[2] = b[k];
            task.sum[1] = task.sum[3] = b[last];
            if (pair) {
                nsk_dot2x2(&task);
                y[p->units + k] = store(p, task.sum[2], k);
                y[p->units + last] = store(p, task.sum[3], last);
            } else {
                nsk_dot1x2(&task, 0);
            }
            y[k] = store(p, task.sum[0], k);
            y[last] = store(p, task.sum[1], last);
        }
        r += 1 + pair;
        x += (1 + pair) * p->depth;
        y += (1 + pair) * p->units;
    }
}
