/* Fully connected layer, float32, portable C99. See dense.h.
 *
 * Four units at a time share the loads of the row; each sum runs over the depth in order.
 */
#include "dense.h"
#include "nsk_real.h"

void nsk_dense_f32(const nsk_dense_real *p, const float *x, const float *w, const float *b,
                   float *y)
{
    const int32_t depth = p->depth;
    for (int32_t r = 0; r < p->rows; r++, x += depth, y += p->units) {
        const float *w0 = w;
        int32_t k = 0;
        for (; k + 4 <= p->units; k += 4, w0 += 4 * depth) {
            const float *w1 = w0 + depth, *w2 = w1 + depth, *w3 = w2 + depth;
            float sum0 = b[k], sum1 = b[k + 1], sum2 = b[k + 2], sum3 = b[k + 3];
            for (int32_t c = 0; c < depth; c++) {
                const float value = x[c];
                sum0 += w0[c] * value;
                sum1 += w1[c] * value;
                sum2 += w2[c] * value;
                sum3 += w3[c] * value;
            }
            y[k] = nsk_clamp_f32(sum0, p->low, p->high);
            y[k + 1] = nsk_clamp_f32(sum1, p->low, p->high);
            y[k + 2] = nsk_clamp_f32(sum2, p->low, p->high);
            y[k + 3] = nsk_clamp_f32(sum3, p->low, p->high);
        }
        for (; k < p->units; k++, w0 += depth) {
            float sum = b[k];
            for (int32_t c = 0; c < depth; c++) {
                sum += w0[c] * x[c];
            }
            y[k] = nsk_clamp_f32(sum, p->low, p->high);
        }
    }
}
