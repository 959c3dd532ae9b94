/* Batch normalization, float32, portable C99. See batch_norm.h. */
#include "batch_norm.h"
#include "nsk_real.h"

void nsk_batch_norm_f32(const nsk_batch_norm_real *p, const float *x, float *y)
{
    for (int32_t r = 0; r < p->rows; r++) {
        for (int32_t c = 0; c < p->channels; c++) {
            *y++ = nsk_clamp_f32(p->factor[c] * *x++ + p->addend[c], p->low, p->high);
        }
    }
}
