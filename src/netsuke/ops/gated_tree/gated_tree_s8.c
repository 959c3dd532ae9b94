/* Tree of gated linear scores. See gated_tree.h. */
#include "gated_tree.h"
#include "nsk_shift.h"

/* The sum of size products goes to at most 255 * 2^14 < 2^23. */
static nsk_int24 dot(const nsk_gated_tree *p, const int8_t *z, const int8_t *w)
{
    return nsk_dot24_s8(&w, z, nsk_param(p->size), 0);
}

void nsk_gated_tree_s8(const nsk_gated_tree *p, const int8_t *z, const int8_t *w, const int8_t *v,
                       const int8_t *t, int16_t *y)
{
    const uint8_t size = nsk_param(p->size), outputs = nsk_param(p->outputs);
    const uint8_t shared = nsk_param(p->shared);
    for (uint8_t l = 0; l < outputs; l++) {
        y[l] = 0;
    }
    for (uint8_t node = 0;;) {
        const int8_t *linear = w + (uint16_t)(node * outputs * size);
        const int8_t *gated = v + (uint16_t)(node * (shared ? 1 : outputs) * size);
        int8_t gate = 0;
        for (uint8_t l = 0; l < outputs; l++) {
            if (!l || !shared) {
                gate = (int8_t)nsk_end24(dot(p, z, gated), nsk_param(p->gate_shift), -128, 127);
                gated += size;
            }
            const int16_t a =
                nsk_end24(dot(p, z, linear), nsk_param(p->linear_shift), -32767 - 1, 32767);
            linear += size;
            y[l] = (int16_t)(y[l] + nsk_product8(a, gate));
        }
        if (node >= nsk_param(p->inner)) {
            return;
        }
        const uint8_t right = dot(p, z, t + (uint16_t)(node * size)) > 0;
        node = (uint8_t)(2 * node + 1 + right);
    }
}
