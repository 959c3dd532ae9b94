/* Projection, chunk by chunk, gap and weight in one byte. See projection.h.
 * Sums are sixteen times what they mean: the weight stays in the upper half of its byte. */
#include "projection_row.h"

NSK_INLINE nsk_int24 load(const uint8_t *sum)
{
    return (nsk_int24)sum[0] | (nsk_int24)sum[1] << 8 | (nsk_int24)(int8_t)sum[2] * 65536;
}

NSK_INLINE void store(uint8_t *sum, nsk_int24 value)
{
    sum[0] = (uint8_t)value;
    sum[1] = (uint8_t)(value >> 8);
    sum[2] = (uint8_t)(value >> 16);
}

#if defined(__AVR__) && defined(__GNUC__)

/* 16 cycles. */
#define ENTRY                                                                                      \
    "lpm %[w], Z+\n\t"                                                                             \
    "mov %[value], %[w]\n\t"                                                                       \
    "andi %[value], 0x0F\n\t"                                                                      \
    "add r26, %[value]\n\t"                                                                        \
    "adc r27, %[zero]\n\t"                                                                         \
    "ld %[value], X\n\t"                                                                           \
    "andi %[w], 0xF0\n\t"                                                                          \
    "muls %[w], %[value]\n\t"                                                                      \
    "sbc %[value], %[value]\n\t"                                                                   \
    "add %A[total], r0\n\t"                                                                        \
    "adc %B[total], r1\n\t"                                                                        \
    "adc %C[total], %[value]\n\t"

NSK_INLINE const uint8_t *add(const nsk_projection *p, const int8_t *x, const uint8_t *code,
                              uint8_t *sum)
{
    uint8_t rows = nsk_param(p->rows), n, w, value;
    nsk_int24 total;
    /* 29 cycles a row beside two entries a round; an odd number begins with the second. */
    __asm__ volatile("1: lpm %[n], Z+\n\t"
                     "movw r26, %[sum]\n\t"
                     "ld %A[total], X+\n\t"
                     "ld %B[total], X+\n\t"
                     "ld %C[total], X+\n\t"
                     "movw r26, %[x]\n\t"
                     "lsr %[n]\n\t"
                     "brcs 3f\n\t"
                     "rjmp 4f\n"
                     "2:\n\t" ENTRY "3:\n\t" ENTRY "4: dec %[n]\n\t"
                     "brne 2b\n\t"
                     "movw r26, %[sum]\n\t"
                     "st X+, %A[total]\n\t"
                     "st X+, %B[total]\n\t"
                     "st X+, %C[total]\n\t"
                     "movw %[sum], r26\n\t"
                     "dec %[rows]\n\t"
                     "brne 1b\n\t"
                     "clr __zero_reg__"
                     : "+z"(code), [sum] "+r"(sum), [rows] "+r"(rows), [total] "=&r"(total),
                       [n] "=&r"(n), [w] "=&d"(w), [value] "=&d"(value)
                     : [x] "r"(x), [zero] "r"((uint8_t)0)
                     : "r26", "r27", "memory");
    return code;
}

#else

NSK_INLINE const uint8_t *add(const nsk_projection *p, const int8_t *x, const uint8_t *code,
                              uint8_t *sum)
{
    for (uint8_t k = nsk_param(p->rows); k; k--) {
        const int8_t *at = x;
        int32_t total = load(sum);
        for (uint8_t n = (uint8_t)(nsk_flash_u8(code++) - 2); n; n--) {
            const uint8_t entry = nsk_flash_u8(code++);
            at += entry & 0x0F;
            total += (int16_t)((int8_t)(entry & 0xF0) * *at);
        }
        store(sum, total);
        sum += 3;
    }
    return code;
}

#endif

/* As they follow one another, so do the chunks in `codes`. */
#define NSK_PROJECTION_CHUNKS(name, type)                                                          \
    void name##_begin(const nsk_projection *p, type *y, void *state)                               \
    {                                                                                              \
        nsk_projection_bytes *own = (nsk_projection_bytes *)state;                                 \
        uint8_t *sum = own->sum[0];                                                                \
        (void)y;                                                                                   \
        own->place[0] = own->place[1] = 0;                                                         \
        for (uint8_t k = 0; k < nsk_param(p->rows); k++) {                                         \
            store(sum, (nsk_int24)nsk_projection_bias(p, k, 4));                                   \
            sum += 3;                                                                              \
        }                                                                                          \
    }                                                                                              \
    void name##_push(const nsk_projection *p, const int8_t *x, type *y, void *state)               \
    {                                                                                              \
        nsk_projection_bytes *own = (nsk_projection_bytes *)state;                                 \
        const uint8_t *codes = nsk_param(p->codes);                                                \
        const uint16_t done = (uint16_t)(own->place[0] | (uint16_t)(own->place[1] << 8));          \
        const uint16_t place = (uint16_t)(add(p, x, codes + done, own->sum[0]) - codes);           \
        (void)y;                                                                                   \
        own->place[0] = (uint8_t)place;                                                            \
        own->place[1] = (uint8_t)(place >> 8);                                                     \
    }                                                                                              \
    void name##_end(const nsk_projection *p, type *y, void *state)                                 \
    {                                                                                              \
        const uint8_t *sum = ((nsk_projection_bytes *)state)->sum[0];                              \
        for (uint8_t k = nsk_param(p->rows); k; k--) {                                             \
            *y++ = (type)nsk_projection_end(p, load(sum), 4);                                      \
            sum += 3;                                                                              \
        }                                                                                          \
    }

NSK_PROJECTION_CHUNKS(nsk_projection_s8_chunk_nibbles, int8_t)
NSK_PROJECTION_CHUNKS(nsk_projection_s8_chunk_nibbles_wide, int16_t)
