/* Addition, int8, same shapes, for Armv7E-M DSP; plain C elsewhere. See add.h.
 *
 * The operand with the larger scale is multiplied by exactly 1/2, a shift; the other one by
 * multiplier_minor * 2^(-right_minor - 31). Everything is doubled, see nsk_high_plus. Ties of the
 * shifts go away from zero: the product's sign bit is added before the shift. Where the model's
 * compiler found, by trying all operands, factors with which ties upward give the same, this step
 * is left out.
 */
#include "add.h"
#include "nsk_dsp.h"
#include "nsk_fixed.h"

/* round + (x + sign) >> right, ties away from zero; no sign where right is 0. */
static inline int32_t away(int32_t x, int32_t round, int32_t right)
{
    return (x + (x >> 31) + round) >> right;
}

static inline int8_t finish(const nsk_add_plain *p, int32_t twice)
{
    const int32_t scaled = nsk_high_plus(twice, p->multiplier_y, 0);
    return nsk_saturate8(away(scaled, p->round_y, p->right_y));
}

static inline int8_t add(const nsk_add_plain *p, int32_t major, int32_t minor)
{
    const int32_t product =
        nsk_high_plus(minor * (1 << 21) + p->offset_minor, p->multiplier_minor, 0);
    const int32_t other = away(product, p->round_minor, p->right_minor);
    return finish(p, major * (1 << 20) + p->offset_major + 2 * other);
}

static inline int8_t add_equal(const nsk_add_plain *p, int32_t a, int32_t b)
{
    return finish(p, (a + b) * (1 << 20) + p->offset_major);
}

/* Elements with ties, or behind the last four. */
static void add_some(const nsk_add_plain *p, const int8_t *major, const int8_t *minor, int8_t *y,
                     int32_t count)
{
    const nsk_add_plain local = *p; /* so that a store to y does not make it be read again */
    for (int32_t i = 0; i < count; i++) {
        y[i] = local.right_minor > 0 ? add(&local, major[i], minor[i])
                                     : add_equal(&local, major[i], minor[i]);
    }
}

#ifdef NSK_DSP

#define ADD                                                                                        \
    "ldrsb r12, [r1], #1\n"                                                                        \
    "ldrsb lr, [r0], #1\n"                                                                         \
    "add r12, r4, r12, lsl #21\n"                                                                  \
    "add lr, r9, lr, lsl #20\n"                                                                    \
    "smmlar r12, r12, r5, r6\n"                                                                    \
    "asr r12, r12, r7\n"                                                                           \
    "add lr, lr, r12, lsl #1\n"                                                                    \
    "smmlar lr, lr, r8, r10\n"                                                                     \
    "asr lr, lr, r11\n"                                                                            \
    "ssat lr, #8, lr\n"                                                                            \
    "strb lr, [r2], #1\n"

#define ADD_EQUAL                                                                                  \
    "ldrsb r12, [r1], #1\n"                                                                        \
    "ldrsb lr, [r0], #1\n"                                                                         \
    "add lr, lr, r12\n"                                                                            \
    "add lr, r9, lr, lsl #20\n"                                                                    \
    "smmlar lr, lr, r8, r10\n"                                                                     \
    "asr lr, lr, r11\n"                                                                            \
    "ssat lr, #8, lr\n"                                                                            \
    "strb lr, [r2], #1\n"

/* Four elements a round without ties, so that no sign has to be added: 46 instructions, or 34 for
 * equal scales. Returns how many elements it made. */
static NSK_NOINLINE int32_t add_fours(const nsk_add_plain *p, const int8_t *major,
                                      const int8_t *minor, int8_t *y)
{
    const int32_t fields[] = {p->offset_minor, p->multiplier_minor, p->round_minor, p->right_minor,
                              p->multiplier_y, p->offset_major,     p->round_y,     p->right_y};
    register const int8_t *r0 __asm__("r0") = major;
    register const int8_t *r1 __asm__("r1") = minor;
    register int8_t *r2 __asm__("r2") = y;
    register const int8_t *r3 __asm__("r3") = y + (p->count & ~3);
    register const int32_t *r12 __asm__("r12") = fields;
    __asm__ volatile(".syntax unified\n"
                     "push {r4-r11}\n"
                     "ldm r12, {r4-r11}\n"
                     "cmp r2, r3\n"
                     "beq 3f\n"
                     "cmp r7, #0\n"
                     "beq 2f\n"
                     "1:\n" ADD ADD ADD ADD "cmp r2, r3\n"
                     "bne 1b\n"
                     "b 3f\n"
                     "2:\n" ADD_EQUAL ADD_EQUAL ADD_EQUAL ADD_EQUAL "cmp r2, r3\n"
                     "bne 2b\n"
                     "3:\n"
                     "pop {r4-r11}\n"
                     : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r12)
                     : "r"(r3), "m"(fields)
                     : "lr", "cc", "memory");
    return p->count & ~3;
}

#else

static int32_t add_fours(const nsk_add_plain *p, const int8_t *major, const int8_t *minor,
                         int8_t *y)
{
    const int32_t count = p->count & ~3;
    for (int32_t i = 0; i < count; i++) {
        int32_t sum = (major[i] + minor[i]) * (1 << 20) + p->offset_major;
        if (p->right_minor > 0) {
            const int32_t x = minor[i] * (1 << 21) + p->offset_minor;
            const int32_t other =
                nsk_high_plus(x, p->multiplier_minor, p->round_minor) >> p->right_minor;
            sum = major[i] * (1 << 20) + p->offset_major + 2 * other;
        }
        y[i] = nsk_saturate8(nsk_high_plus(sum, p->multiplier_y, p->round_y) >> p->right_y);
    }
    return count;
}

#endif

void nsk_add_s8_dsp(const nsk_add_plain *p, const int8_t *a, const int8_t *b, int8_t *y)
{
    const int8_t *major = p->swapped ? b : a, *minor = p->swapped ? a : b;
    const int32_t done = p->ties ? 0 : add_fours(p, major, minor, y);
    add_some(p, major + done, minor + done, y + done, p->count - done);
    if (p->low > -128 || p->high < 127) {
        for (int32_t i = 0; i < p->count; i++) {
            y[i] = (int8_t)nsk_clamp(y[i], p->low, p->high);
        }
    }
}
