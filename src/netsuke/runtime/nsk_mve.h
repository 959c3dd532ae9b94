/* Armv8.1-M vector instructions (MVE, Helium) that the fast int8 kernels use, or plain C.
 *
 *   NSK_MVE is defined where the instructions are used; everywhere else the C below computes the
 *   same bits, so that one source file serves the device and the host.
 */
#ifndef NSK_MVE_H
#define NSK_MVE_H

#include <stdint.h>
#include <string.h>

#if defined(__ARM_FEATURE_MVE) && defined(__GNUC__)
#define NSK_MVE 1
#endif

/* Move bytes to the same or a lower address, or to another buffer. */
static inline void nsk_mve_move(int8_t *to, const int8_t *from, int32_t bytes)
{
#ifdef NSK_MVE
    __asm__ volatile(".syntax unified\n"
                     "wlstp.8 lr, %2, 2f\n"
                     "1:\n"
                     "vldrb.u8 q0, [%1], #16\n"
                     "vstrb.u8 q0, [%0], #16\n"
                     "letp lr, 1b\n"
                     "2:\n"
                     : "+r"(to), "+r"(from)
                     : "r"(bytes)
                     : "lr", "q0", "cc", "memory");
#else
    memmove(to, from, (size_t)bytes);
#endif
}

/* Set bytes. */
static inline void nsk_mve_fill(int8_t *to, int32_t value, int32_t bytes)
{
#ifdef NSK_MVE
    __asm__ volatile(".syntax unified\n"
                     "vdup.8 q0, %1\n"
                     "wlstp.8 lr, %2, 2f\n"
                     "1:\n"
                     "vstrb.u8 q0, [%0], #16\n"
                     "letp lr, 1b\n"
                     "2:\n"
                     : "+r"(to)
                     : "r"(value), "r"(bytes)
                     : "lr", "q0", "cc", "memory");
#else
    memset(to, value, (size_t)bytes);
#endif
}

/* Clamp bytes in place; nothing to do where the bounds are those of an int8. */
static inline void nsk_mve_clamp(int8_t *y, int32_t bytes, int32_t low, int32_t high)
{
    if (low <= -128 && high >= 127) {
        return;
    }
#ifdef NSK_MVE
    __asm__ volatile(".syntax unified\n"
                     "vdup.8 q1, %1\n vdup.8 q2, %2\n"
                     "wlstp.8 lr, %3, 2f\n"
                     "1:\n"
                     "vldrb.u8 q0, [%0]\n vmax.s8 q0, q0, q1\n vmin.s8 q0, q0, q2\n"
                     "vstrb.u8 q0, [%0], #16\n"
                     "letp lr, 1b\n"
                     "2:\n"
                     : "+r"(y)
                     : "r"(low), "r"(high), "r"(bytes)
                     : "lr", "q0", "q1", "q2", "cc", "memory");
#else
    for (int32_t i = 0; i < bytes; i++) {
        y[i] = (int8_t)(y[i] < low ? low : y[i] > high ? high : y[i]);
    }
#endif
}

#endif
