/* Tree of gated linear scores, portable C99. See gated_tree.h. */
#include "gated_tree.h"
#include "nsk_flash.h"

static int32_t dot(const nsk_gated_tree *p, const int8_t *z, const int8_t *w)
{
    int32_t sum = 0;
    for (uint8_t i = nsk_param(p->size); i; i--) {
        sum += (int16_t)(nsk_flash_i8(w++) * *z++);
    }
    return sum;
}

static int8_t gate_of(const nsk_gated_tree *p, const int8_t *z, const int8_t *v)
{
    const int32_t gate = dot(p, z, v) >> nsk_param(p->gate_shift);
    return (int8_t)(gate > 127 ? 127 : gate < -128 ? -128 : gate);
}

void nsk_gated_tree_s8(const nsk_gated_tree *p, const int8_t *z, const int8_t *w, const int8_t *v,
                       const int8_t *t, int16_t *y)
{
    const uint8_t size = nsk_param(p->size), outputs = nsk_param(p->outputs);
    const uint8_t gates = nsk_param(p->shared) ? 1 : outputs;
    for (uint8_t l = 0; l < outputs; l++) {
        y[l] = 0;
    }
    for (uint8_t node = 0;;) {
        const int8_t *linear = w + (uint16_t)(node * outputs * size);
        const int8_t *gated = v + (uint16_t)(node * gates * size);
        int8_t gate = gate_of(p, z, gated);
        for (uint8_t l = 0; l < outputs; l++) {
            if (l && !nsk_param(p->shared)) {
                gated += size;
                gate = gate_of(p, z, gated);
            }
            const int16_t a = (int16_t)(dot(p, z, linear) >> nsk_param(p->linear_shift));
            linear += size;
            y[l] = (int16_t)(y[l] + (int16_t)(((int32_t)a * gate) >> 8));
        }
        if (node >= nsk_param(p->inner)) {
            return;
        }
        const uint8_t right = dot(p, z, t + (uint16_t)(node * size)) > 0;
        node = (uint8_t)(2 * node + 1 + right);
    }
}
