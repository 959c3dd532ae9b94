/* From int8 to float32, portable C99. See dequantize.h. */
#include "dequantize.h"

void nsk_dequantize_s8(const nsk_dequantize *p, const int8_t *x, float *y)
{
    for (int32_t i = 0; i < p->count; i++) {
        y[i] = (float)(x[i] - p->zero) * p->scale;
    }
}
