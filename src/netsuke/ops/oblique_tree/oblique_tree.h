/* A complete tree whose splits weigh all features.
 *
 *   k = 0; as long as k < splits: k = 2 k + 1 + (b[k] + sum over c of w[k,c] * x[c] > 0)
 *   y = leaves[k - splits]       the leaf's row of `outputs` bytes
 *   y = k - splits               leaf
 *
 * x: (features) int8, uint8 or int16; w: (splits, features); b: (splits); leaves: (splits + 1,
 * outputs). splits is 2^depth - 1, in the order of levels. No sum exceeds 24 bits. Tables may lie in
 * program memory.
 */
#ifndef NSK_OBLIQUE_TREE_H
#define NSK_OBLIQUE_TREE_H

#include <stdint.h>

typedef struct {
    uint16_t splits, features;
    uint8_t outputs;
} nsk_oblique_tree;

void nsk_oblique_tree_s8(const nsk_oblique_tree *p, const int8_t *x, const int8_t *w,
                         const int32_t *b, const int8_t *leaves, void *y);
void nsk_oblique_tree_u8(const nsk_oblique_tree *p, const uint8_t *x, const int8_t *w,
                         const int32_t *b, const int8_t *leaves, void *y);
void nsk_oblique_tree_s16(const nsk_oblique_tree *p, const int16_t *x, const int8_t *w,
                          const int32_t *b, const int8_t *leaves, void *y);

void nsk_oblique_tree_s8_leaf(const nsk_oblique_tree *p, const int8_t *x, const int8_t *w,
                              const int32_t *b, int16_t *y);
void nsk_oblique_tree_u8_leaf(const nsk_oblique_tree *p, const uint8_t *x, const int8_t *w,
                              const int32_t *b, int16_t *y);
void nsk_oblique_tree_s16_leaf(const nsk_oblique_tree *p, const int16_t *x, const int8_t *w,
                               const int32_t *b, int16_t *y);

#endif
