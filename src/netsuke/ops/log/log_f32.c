/* The natural logarithm, float32, portable C99. See log.h. */
#include "log.h"
#include "nsk_math.h"

void nsk_log_f32(const nsk_log_real *p, const float *x, float *y)
{
    for (int32_t i = 0; i < p->count; i++) {
        y[i] = nsk_log(x[i]);
    }
}
