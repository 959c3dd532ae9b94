/* Moving elements of any type.
 *
 * A tensor of any type may be moved as words of 1, 2 or 4 bytes; the types below may alias every
 * other type, so that a compiler does not reorder the moves and the computation.
 */
#ifndef NSK_MOVE_H
#define NSK_MOVE_H

#include <stdint.h>

#if defined(__GNUC__)
typedef uint16_t __attribute__((__may_alias__)) nsk_move16;
typedef uint32_t __attribute__((__may_alias__)) nsk_move32;
#else
typedef uint16_t nsk_move16;
typedef uint32_t nsk_move32;
#endif

/* Gather `count` blocks of `run` units, `stride` bytes apart in `from`, into `to`. */
static inline void nsk_move8_blocks(uint8_t *to, const uint8_t *from, int32_t count, int32_t stride,
                                    int32_t run)
{
    for (int32_t i = 0; i < count; i++) {
        const uint8_t *block = from + i * stride;
        for (int32_t r = 0; r < run; r++) {
            *to++ = block[r];
        }
    }
}

static inline void nsk_move16_blocks(uint8_t *to, const uint8_t *from, int32_t count,
                                     int32_t stride, int32_t run)
{
    nsk_move16 *place = (nsk_move16 *)(void *)to;
    for (int32_t i = 0; i < count; i++) {
        const nsk_move16 *block = (const nsk_move16 *)(const void *)(from + i * stride);
        for (int32_t r = 0; r < run; r++) {
            *place++ = block[r];
        }
    }
}

static inline void nsk_move32_blocks(uint8_t *to, const uint8_t *from, int32_t count,
                                     int32_t stride, int32_t run)
{
    nsk_move32 *place = (nsk_move32 *)(void *)to;
    for (int32_t i = 0; i < count; i++) {
        const nsk_move32 *block = (const nsk_move32 *)(const void *)(from + i * stride);
        for (int32_t r = 0; r < run; r++) {
            *place++ = block[r];
        }
    }
}

#endif
