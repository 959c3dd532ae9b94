/* Ensemble of decision trees over integer features.
 *
 *   y[k] = offset[k] + sum over trees of weight(leaf that x reaches in the tree)[k]
 *
 * x: (features) of one type; a tree goes left when x[feature] <= threshold.
 *
 * nodes: a split is feature (1 or 2 bytes, little-endian), threshold (1 byte, 2 for int16 features),
 * code (1 byte). Its left child follows what is written behind it; the right child follows the left
 * one.
 *
 *   code < limit   both children are splits; the right one lies `code` bytes behind the left one
 *   code = 252     the same, the distance is written behind the split (2 bytes)
 *   code = 253     left child is a split, the right leaf is written behind the split
 *   code = 254     right child is a split, the left leaf is written behind the split
 *   code = 255     left and right leaf are written behind the split
 *   otherwise      the left child is pairs[code - limit], the right one is pair_count further on;
 *                  all ones mean a split
 *
 * A leaf is a number of 1 byte, or of 2 bytes where wide_leaf; what it means is the form:
 *
 *   votes    one vote for that output
 *   grouped  values[leaf] for output groups[tree]
 *   dense    weights[leaf * outputs + k] for output k
 *   wide     values[leaf * outputs + k] for output k
 *   sparse   pairs (output, weight) at weights[2 * i], i = starts[leaf] .. starts[leaf + 1] - 1
 *
 * No partial sum leaves int16. In the class functions a score beyond `majority` is the largest that
 * there can be, so that the remaining trees are not asked; scratch holds the scores, uint8 where
 * `small`, else int16.
 */
#ifndef NSK_FOREST_H
#define NSK_FOREST_H

#include <stdint.h>

enum { NSK_FOREST_VOTES, NSK_FOREST_GROUPED, NSK_FOREST_DENSE, NSK_FOREST_WIDE, NSK_FOREST_SPARSE };

typedef struct {
    uint8_t limit;
    uint8_t outputs;
    uint8_t wide_feature, wide_leaf;
    uint8_t pair_count;
    uint8_t form;
    uint8_t small;
    uint16_t trees;
    int16_t majority;
    const uint8_t *nodes;
    const uint16_t *code;  /* in place of nodes: trees as instructions, see opcodes.py */
    const uint16_t *sizes; /* bytes of each tree */
    const void *pairs;
    const int16_t *offset; /* absent in votes for a class */
    const int8_t *weights;
    const int16_t *values;
    const uint16_t *starts;
    const uint8_t *groups;
} nsk_forest;

/* y: (outputs) */
void nsk_forest_u8(const nsk_forest *p, const uint8_t *x, int16_t *y);
void nsk_forest_s8(const nsk_forest *p, const int8_t *x, int16_t *y);
void nsk_forest_s16(const nsk_forest *p, const int16_t *x, int16_t *y);

/* y: (1), the number of the largest score, the first of equals */
void nsk_forest_u8_class(const nsk_forest *p, const uint8_t *x, uint8_t *y, void *scratch);
void nsk_forest_s8_class(const nsk_forest *p, const int8_t *x, uint8_t *y, void *scratch);
void nsk_forest_s16_class(const nsk_forest *p, const int16_t *x, uint8_t *y, void *scratch);

/* The same with trees as instructions that the core runs where they lie; AVR only. */
void nsk_forest_u8_avr(const nsk_forest *p, const uint8_t *x, int16_t *y);
void nsk_forest_u8_class_avr(const nsk_forest *p, const uint8_t *x, uint8_t *y, void *scratch);

/* y: (trees), the leaf reached in each */
void nsk_forest_u8_leaves(const nsk_forest *p, const uint8_t *x, int16_t *y);
void nsk_forest_s8_leaves(const nsk_forest *p, const int8_t *x, int16_t *y);
void nsk_forest_s16_leaves(const nsk_forest *p, const int16_t *x, int16_t *y);

#endif
