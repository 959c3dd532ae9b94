/* Matrix tiles: AMX with int8. Needs nsk_avx512.h, whose scales and order of channels it uses.
 *
 * Tiles 0 to 3 hold sums of 16 pixels by 16 channels each, 4 and 5 activations of a whole step (64
 * of a run) and of a run's rest, 6 and 7 weights for them. The products are signed by signed.
 */
#ifndef NSK_AMX_H
#define NSK_AMX_H

#include "nsk_wide.h"

#define NSK_AMX_DEPTH 64 /* activations of a step */
#define NSK_AMX_PIXELS 16

#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(NSK_PLAIN)
#define NSK_AMX 1

typedef struct {
    uint8_t palette, start, reserved[14];
    uint16_t bytes[16]; /* of a row */
    uint8_t rows[16];
} nsk_tile_shapes;

/* Linux hands the tiles out on request, once a process: arch_prctl(ARCH_REQ_XCOMP_PERM, 18). */
static inline void nsk_request_tiles(void)
{
    static volatile int asked;
    if (!asked) {
        long result = 158;
        __asm__ volatile("syscall"
                         : "+a"(result)
                         : "D"(0x1023L), "S"(18L)
                         : "rcx", "r11", "memory");
        asked = 1;
    }
}

/* Tiles for `pixels` pixels and runs whose last step has `rest` bytes (a multiple of 4, or 0). */
static inline nsk_tile_shapes nsk_shapes(int32_t pixels, int32_t rest)
{
    nsk_tile_shapes shapes = {.palette = 1};
    for (int32_t tile = 0; tile < 8; tile++) {
        const int32_t last = tile == 5 || tile == 7;
        const int32_t depth = last && rest > 0 ? rest : NSK_AMX_DEPTH;
        shapes.bytes[tile] = (uint16_t)(tile == 4 || tile == 5 ? depth : 64);
        shapes.rows[tile] = (uint8_t)(tile < 6 ? pixels : depth / 4);
    }
    return shapes;
}
#endif

#endif
