/* Layer normalization, float32, portable C99. See layer_norm.h. */
#include "layer_norm.h"
#include "nsk_math.h"

void nsk_layer_norm_f32(const nsk_layer_norm_real *p, const float *x, const float *scale,
                        const float *offset, float *y)
{
    for (int32_t r = 0; r < p->rows; r++, x += p->depth, y += p->depth) {
        float mean = 0.0f;
        for (int32_t j = 0; j < p->depth; j++) {
            mean += x[j];
        }
        mean /= (float)p->depth;
        float variance = 0.0f;
        for (int32_t j = 0; j < p->depth; j++) {
            variance += (x[j] - mean) * (x[j] - mean);
        }
        variance /= (float)p->depth;
        const float factor = 1.0f / nsk_sqrt(variance + p->epsilon);
        for (int32_t j = 0; j < p->depth; j++) {
            y[j] = (x[j] - mean) * factor * scale[j] + offset[j];
        }
    }
}
