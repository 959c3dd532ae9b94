/* A tree of oblique splits, int16 features, portable C99; sums in assembly on AVR. See
 * oblique_tree.h. */
#include "oblique_tree.h"
#include "nsk_avr.h"

static inline uint16_t leaf_of(const nsk_oblique_tree *p, const int16_t *x, const int8_t *w,
                               const int32_t *b)
{
    uint16_t k = 0;
    do {
        const int8_t *row = w + (uintptr_t)k * nsk_param(p->features);
        const nsk_int24 start = (nsk_int24)nsk_flash_i32(b + k);
        const nsk_int24 sum = nsk_dot24_s16(&row, x, nsk_param(p->features), start);
        k = (uint16_t)(2 * k + 1 + (sum > 0));
    } while (k < nsk_param(p->splits));
    return (uint16_t)(k - nsk_param(p->splits));
}

void nsk_oblique_tree_s16(const nsk_oblique_tree *p, const int16_t *x, const int8_t *w,
                          const int32_t *b, const int8_t *leaves, void *y)
{
    int8_t *to = (int8_t *)y;
    const int8_t *from = leaves + (uintptr_t)leaf_of(p, x, w, b) * nsk_param(p->outputs);
    for (uint8_t k = nsk_param(p->outputs); k; k--) {
        *to++ = nsk_flash_i8(from++);
    }
}

void nsk_oblique_tree_s16_leaf(const nsk_oblique_tree *p, const int16_t *x, const int8_t *w,
                               const int32_t *b, int16_t *y)
{
    *y = (int16_t)leaf_of(p, x, w, b);
}
