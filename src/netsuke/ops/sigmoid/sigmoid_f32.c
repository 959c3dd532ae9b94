/* The logistic function, float32, portable C99. See sigmoid.h. */
#include "sigmoid.h"
#include "nsk_math.h"

void nsk_sigmoid_f32(const nsk_sigmoid_real *p, const float *x, float *y)
{
    for (int32_t i = 0; i < p->count; i++) {
        y[i] = nsk_sigmoid(x[i]);
    }
}
