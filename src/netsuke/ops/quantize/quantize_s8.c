/* From float32 to int8, portable C99. See quantize.h. */
#include "quantize.h"
#include "nsk_fixed.h"
#include "nsk_math.h"

void nsk_quantize_s8(const nsk_quantize *p, const float *x, int8_t *y)
{
    for (int32_t i = 0; i < p->count; i++) {
        y[i] = (int8_t)nsk_clamp(nsk_round(x[i] / p->scale) + p->zero, -128, 127);
    }
}
