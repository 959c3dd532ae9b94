/* The walk through a tree and what its leaf adds, shared by the kernels of all feature types.
 * `kind` is a constant at every call, so that the branches on it vanish. See forest.h. */
#ifndef NSK_FOREST_WALK_H
#define NSK_FOREST_WALK_H

#include "forest.h"
#include "nsk_flash.h"

enum { NSK_FOREST_U8, NSK_FOREST_S8, NSK_FOREST_S16, NSK_FOREST_CODE };
enum {
    NSK_FOREST_LONG = 252,
    NSK_FOREST_RIGHT = 253,
    NSK_FOREST_LEFT = 254,
    NSK_FOREST_BOTH = 255
};

/* One call a program where it matters: inlined, the walk keeps its registers from tree to tree. */
#if defined(__AVR__) && defined(__GNUC__)
#define NSK_FOREST_INLINE static inline __attribute__((always_inline))
#else
#define NSK_FOREST_INLINE static inline
#endif

/* Whether x goes right at the split, whose threshold is at `threshold`. */
static inline uint8_t nsk_forest_right(int kind, const void *x, uint16_t feature,
                                       const uint8_t *threshold)
{
    if (kind == NSK_FOREST_U8) {
        return ((const uint8_t *)x)[feature] > nsk_flash_u8(threshold);
    }
    if (kind == NSK_FOREST_S8) {
        return ((const int8_t *)x)[feature] > nsk_flash_i8(threshold);
    }
    return ((const int16_t *)x)[feature] > nsk_flash_i16(threshold);
}

#if defined(__AVR__) && defined(__GNUC__)
/* Runs a tree that is a table of instructions: x in X, the leaf comes back in r24. */
NSK_FOREST_INLINE uint8_t nsk_forest_call(const void *x, const uint8_t *code)
{
    register uint8_t leaf __asm__("r24");
    uint16_t entry = (uint16_t)code >> 1; /* a core counts its flash in words */
    __asm__ volatile("icall" : "=r"(leaf), "+z"(entry) : "x"(x) : "memory");
    return leaf;
}

/* The leaf that x reaches in a tree of byte-wide splits and leaves: 19 cycles a split to the left, 21
 * to the right. r0 holds the feature, then the threshold; `kept` where the walk goes on when the pair
 * of a code says that the child is a split. */
NSK_FOREST_INLINE uint8_t nsk_forest_leaf_u8(const nsk_forest *p, const void *x,
                                             const uint8_t *node)
{
    const uint8_t limit = nsk_param(p->limit);
    const uint8_t *left_pairs = (const uint8_t *)nsk_param(p->pairs) - limit;
    const uint8_t *right_pairs = left_pairs + nsk_param(p->pair_count);
    const uint8_t *kept;
    uint8_t code, leaf;
    __asm__("1:\n\t" /* a split */
            "lpm  r0, Z+\n\t"
            "movw r26, %[x]\n\t"
            "add  r26, r0\n\t"
            "adc  r27, __zero_reg__\n\t"
            "lpm  r0, Z+\n\t"
            "ld   %[leaf], X\n\t"
            "lpm  %[code], Z+\n\t"
            "cp   r0, %[leaf]\n\t"
            "brcs 3f\n\t"
            "cp   %[code], %[limit]\n\t"
            "brlo 1b\n"
            "2:\n\t" /* to the left, and not simply on */
            "movw %[kept], r30\n\t"
            "movw r30, %[lefts]\n\t"
            "cpi  %[code], 252\n\t"
            "brlo 5f\n\t"
            "movw r30, %[kept]\n\t"
            "breq 7f\n\t"
            "lpm  %[leaf], Z+\n\t"
            "cpi  %[code], 253\n\t"
            "breq 1b\n\t"
            "rjmp 9f\n"
            "7:\n\t"
            "adiw r30, 2\n\t"
            "rjmp 1b\n"
            "3:\n\t" /* to the right */
            "cp   %[code], %[limit]\n\t"
            "brsh 4f\n\t"
            "add  r30, %[code]\n\t"
            "adc  r31, __zero_reg__\n\t"
            "lpm  r0, Z+\n\t" /* a split once more, which saves a jump */
            "movw r26, %[x]\n\t"
            "add  r26, r0\n\t"
            "adc  r27, __zero_reg__\n\t"
            "lpm  r0, Z+\n\t"
            "ld   %[leaf], X\n\t"
            "lpm  %[code], Z+\n\t"
            "cp   r0, %[leaf]\n\t"
            "brcs 3b\n\t"
            "cp   %[code], %[limit]\n\t"
            "brlo 1b\n\t"
            "rjmp 2b\n"
            "4:\n\t"
            "movw %[kept], r30\n\t"
            "movw r30, %[rights]\n\t"
            "cpi  %[code], 252\n\t"
            "brsh 6f\n"
            "5:\n\t" /* the pair of a code */
            "add  r30, %[code]\n\t"
            "adc  r31, __zero_reg__\n\t"
            "lpm  %[leaf], Z\n\t"
            "movw r30, %[kept]\n\t"
            "cpi  %[leaf], 255\n\t"
            "breq 1b\n\t"
            "rjmp 9f\n"
            "6:\n\t" /* to the right, with something written behind the split */
            "movw r30, %[kept]\n\t"
            "lpm  %[leaf], Z+\n\t"
            "breq 8f\n\t"
            "cpi  %[code], 254\n\t"
            "brlo 9f\n\t"
            "breq 1b\n\t"
            "lpm  %[leaf], Z\n\t"
            "rjmp 9f\n"
            "8:\n\t"
            "lpm  %[code], Z+\n\t"
            "add  r30, %[leaf]\n\t"
            "adc  r31, %[code]\n\t"
            "rjmp 1b\n"
            "9:"
            : [node] "+z"(node), [code] "=&d"(code), [leaf] "=&d"(leaf), [kept] "=&r"(kept)
            : [x] "r"(x), [limit] "r"(limit), [lefts] "r"(left_pairs), [rights] "r"(right_pairs)
            : "r0", "r26", "r27", "memory");
    return leaf;
}
#else
/* The same table on another machine: reads the few instructions that opcodes.py writes. */
static inline uint8_t nsk_forest_call(const void *x, const uint8_t *code)
{
    const uint16_t *at = (const uint16_t *)(const void *)code;
    uint8_t held = 0, carry = 0;
    for (;;) {
        const uint16_t word = nsk_flash_u16(at++);
        const uint8_t constant = (uint8_t)((word >> 4 & 0xF0) | (word & 15));
        switch (word >> 12) {
        case 3: /* cpi */
            carry = held < constant;
            break;
        case 8: /* ldd */
        case 10:
            held = ((const uint8_t *)x)[(word & 7) | (word >> 7 & 0x18) | (word >> 8 & 0x20)];
            break;
        case 9: /* ret */
            return held;
        case 12: /* rjmp */
            at += word & 0xFFF;
            break;
        case 14: /* ldi */
            held = constant;
            break;
        case 15: /* brcs or brcc */
            at += carry == !(word & 0x400) ? word >> 3 & 0x7F : 0;
            break;
        default: /* movw */
            break;
        }
    }
}
#endif

/* Walks while both children are splits that lie near; tells whether the last split sends x right.
 * `node` ends behind that split, `last` is its code. */
static inline uint8_t nsk_forest_descend(const nsk_forest *p, int kind, const void *x,
                                         const uint8_t **node, uint8_t *last)
{
    const uint8_t limit = nsk_param(p->limit);
    const uint8_t *at = *node;
    for (;;) {
        uint16_t feature = nsk_flash_u8(at++);
        if (nsk_param(p->wide_feature)) {
            feature = (uint16_t)(feature | nsk_flash_u8(at++) << 8);
        }
        const uint8_t right = nsk_forest_right(kind, x, feature, at);
        at += kind == NSK_FOREST_S16 ? 2 : 1;
        const uint8_t code = nsk_flash_u8(at++);
        if (code >= limit) {
            *node = at;
            *last = code;
            return right;
        }
        if (right) {
            at += code;
        }
    }
}

static inline uint16_t nsk_forest_number(const nsk_forest *p, const void *table, uint16_t index)
{
    return nsk_param(p->wide_leaf) ? nsk_flash_u16((const uint16_t *)table + index)
                                   : nsk_flash_u8((const uint8_t *)table + index);
}

/* The leaf that x reaches in the tree at `node`. */
NSK_FOREST_INLINE uint16_t nsk_forest_leaf(const nsk_forest *p, int kind, const void *x,
                                           const uint8_t *node)
{
    if (kind == NSK_FOREST_CODE) {
        return nsk_forest_call(x, node);
    }
#if defined(__AVR__) && defined(__GNUC__)
    if (kind == NSK_FOREST_U8 && !nsk_param(p->wide_feature) && !nsk_param(p->wide_leaf)) {
        return nsk_forest_leaf_u8(p, x, node);
    }
#endif
    const uint16_t split = nsk_param(p->wide_leaf) ? 0xFFFF : 0xFF;
    for (;;) {
        uint8_t code;
        const uint8_t right = nsk_forest_descend(p, kind, x, &node, &code);
        if (code < NSK_FOREST_LONG) {
            const uint16_t pair =
                (uint16_t)(code - nsk_param(p->limit) + (right ? nsk_param(p->pair_count) : 0));
            const uint16_t leaf = nsk_forest_number(p, nsk_param(p->pairs), pair);
            if (leaf != split) {
                return leaf;
            }
            continue;
        }
        if (code == NSK_FOREST_LONG) {
            node += 2 + (right ? nsk_flash_u16(node) : 0);
        } else if (code == NSK_FOREST_BOTH) {
            return nsk_forest_number(p, node, right);
        } else {
            if (right == (code == NSK_FOREST_RIGHT)) {
                return nsk_forest_number(p, node, 0);
            }
            node += nsk_param(p->wide_leaf) ? 2 : 1;
        }
    }
}

static inline const uint8_t *nsk_forest_first(const nsk_forest *p, int kind)
{
    return kind == NSK_FOREST_CODE ? (const uint8_t *)nsk_param(p->code) : nsk_param(p->nodes);
}

static inline uint8_t nsk_forest_grown(const nsk_forest *p, int16_t *y, uint8_t output,
                                       int16_t weight)
{
    y[output] = (int16_t)(y[output] + weight);
    return y[output] > nsk_param(p->majority);
}

/* Adds a leaf to the scores; tells whether one of them went beyond the majority. */
static inline uint8_t nsk_forest_add(const nsk_forest *p, uint16_t tree, uint16_t leaf, int16_t *y)
{
    const uint8_t outputs = nsk_param(p->outputs);
    uint8_t beyond = 0;
    if (nsk_param(p->form) == NSK_FOREST_VOTES) {
        return nsk_forest_grown(p, y, (uint8_t)leaf, 1);
    }
    if (nsk_param(p->form) == NSK_FOREST_GROUPED) {
        const uint8_t output = outputs > 1 ? nsk_flash_u8(nsk_param(p->groups) + tree) : 0;
        return nsk_forest_grown(p, y, output, nsk_flash_i16(nsk_param(p->values) + leaf));
    }
    if (nsk_param(p->form) == NSK_FOREST_SPARSE) {
        const uint16_t *starts = nsk_param(p->starts) + leaf;
        uint16_t entry = nsk_flash_u16(starts);
        const uint16_t end = nsk_flash_u16(starts + 1);
        for (; entry != end; entry++) {
            const int8_t *at = nsk_param(p->weights) + 2 * (uint32_t)entry;
            beyond |= nsk_forest_grown(p, y, nsk_flash_u8(at), nsk_flash_i8(at + 1));
        }
        return beyond;
    }
    const uintptr_t row = (uintptr_t)leaf * outputs;
    if (nsk_param(p->form) == NSK_FOREST_DENSE) {
        const int8_t *at = nsk_param(p->weights) + row;
        for (uint8_t k = 0; k < outputs; k++) {
            beyond |= nsk_forest_grown(p, y, k, nsk_flash_i8(at++));
        }
        return beyond;
    }
    const int16_t *at = nsk_param(p->values) + row;
    for (uint8_t k = 0; k < outputs; k++) {
        beyond |= nsk_forest_grown(p, y, k, nsk_flash_i16(at++));
    }
    return beyond;
}

static inline void nsk_forest_begin(const nsk_forest *p, int16_t *y)
{
    for (uint8_t k = 0; k < nsk_param(p->outputs); k++) {
        y[k] = nsk_param(p->offset) ? nsk_flash_i16(nsk_param(p->offset) + k) : 0;
    }
}

static inline void nsk_forest_scores(const nsk_forest *p, int kind, const void *x, int16_t *y)
{
    const uint8_t *node = nsk_forest_first(p, kind);
    nsk_forest_begin(p, y);
    for (uint16_t t = 0; t < nsk_param(p->trees); t++) {
        (void)nsk_forest_add(p, t, nsk_forest_leaf(p, kind, x, node), y);
        node += nsk_flash_u16(nsk_param(p->sizes) + t);
    }
}

static inline void nsk_forest_leaves(const nsk_forest *p, int kind, const void *x, int16_t *y)
{
    const uint8_t *node = nsk_forest_first(p, kind);
    for (uint16_t t = 0; t < nsk_param(p->trees); t++) {
        y[t] = (int16_t)nsk_forest_leaf(p, kind, x, node);
        node += nsk_flash_u16(nsk_param(p->sizes) + t);
    }
}

/* One vote a tree, counted in bytes, for at most 255 trees. */
static inline uint8_t nsk_forest_elected(const nsk_forest *p, int kind, const void *x,
                                         uint8_t *votes)
{
    const uint8_t *node = nsk_forest_first(p, kind);
    const uint16_t *size = nsk_param(p->sizes);
    const uint8_t outputs = nsk_param(p->outputs);
    for (uint8_t k = 0; k < outputs; k++) {
        votes[k] = 0;
    }
    for (uint8_t t = (uint8_t)nsk_param(p->trees); t; t--) {
        const uint8_t leaf = (uint8_t)nsk_forest_leaf(p, kind, x, node);
        if (++votes[leaf] > nsk_param(p->majority)) {
            return leaf;
        }
        node += nsk_flash_u16(size++);
    }
    uint8_t best = 0;
    for (uint8_t k = 1; k < outputs; k++) {
        best = votes[k] > votes[best] ? k : best;
    }
    return best;
}

static inline uint8_t nsk_forest_class(const nsk_forest *p, int kind, const void *x, void *scratch)
{
    if (nsk_param(p->small)) {
        return nsk_forest_elected(p, kind, x, (uint8_t *)scratch);
    }
    int16_t *y = (int16_t *)scratch;
    const uint8_t *node = nsk_forest_first(p, kind);
    nsk_forest_begin(p, y);
    for (uint16_t t = 0; t < nsk_param(p->trees); t++) {
        if (nsk_forest_add(p, t, nsk_forest_leaf(p, kind, x, node), y)) {
            break;
        }
        node += nsk_flash_u16(nsk_param(p->sizes) + t);
    }
    uint8_t best = 0;
    for (uint8_t k = 1; k < nsk_param(p->outputs); k++) {
        best = y[k] > y[best] ? k : best;
    }
    return best;
}

#endif
