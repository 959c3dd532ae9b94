/* A balanced tree whose nodes add gated linear scores along one path: the tree of Bonsai.
 *
 *   node = 0; for each of depth + 1 levels:
 *     y[l] += (a * g) >> 8,  a = (w[node,l] . z) >> linear_shift,
 *                            g = clamp((v[node,l] . z) >> gate_shift, -128, 127)
 *     node = 2 * node + (t[node] . z > 0 ? 2 : 1)
 *
 * z: (depth of z,) int8; w: (nodes, outputs, size); v: (nodes, gates, size), gates = outputs or 1;
 * t: (inner nodes, size); all int8; y: (outputs,) int16, which no path can exceed (the graph is
 * refused otherwise). |a| < 2^15 likewise. Shifts are arithmetic.
 */
#ifndef NSK_GATED_TREE_H
#define NSK_GATED_TREE_H

#include <stdint.h>

typedef struct {
    uint8_t size, outputs, shared; /* shared: one gate a node for all outputs */
    uint8_t inner;                 /* nodes with children */
    uint8_t linear_shift, gate_shift;
} nsk_gated_tree;

void nsk_gated_tree_s8(const nsk_gated_tree *p, const int8_t *z, const int8_t *w, const int8_t *v,
                       const int8_t *t, int16_t *y);

#endif
