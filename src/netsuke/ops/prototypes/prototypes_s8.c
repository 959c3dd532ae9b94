/* Scores of prototypes by their distance. See prototypes.h. */
#include "prototypes.h"
#include "nsk_shift.h"

#if defined(__AVR__) && defined(__GNUC__)

/* 16 cycles a place: |z - b| is a byte, and at most 255 * 255^2 < 2^24 come together. */
NSK_INLINE uint32_t distance(uint8_t size, const int8_t *z, const int8_t **b)
{
    const int8_t *at = *b;
    __uint24 sum = 0;
    uint8_t u, v;
    __asm__ volatile("1: lpm %[u], Z+\n\t"
                     "ld %[v], X+\n\t"
                     "sub %[v], %[u]\n\t"
                     "brge 2f\n\t"
                     "neg %[v]\n"
                     "2: mul %[v], %[v]\n\t"
                     "add %A[sum], r0\n\t"
                     "adc %B[sum], r1\n\t"
                     "adc %C[sum], %[zero]\n\t"
                     "dec %[n]\n\t"
                     "brne 1b\n\t"
                     "clr __zero_reg__"
                     : [sum] "+r"(sum), "+z"(at),
                       "+x"(z), [n] "+r"(size), [u] "=&r"(u), [v] "=&r"(v)
                     : [zero] "r"((uint8_t)0)
                     : "memory");
    *b = at;
    return sum;
}

/* 29 cycles a score. */
NSK_INLINE void add_scores(uint8_t outputs, const int8_t *s, uint8_t near, int32_t *y)
{
    uint8_t w, t;
    __asm__ volatile("1: lpm %[w], Z+\n\t"
                     "mulsu %[w], %[near]\n\t"
                     "sbc %[w], %[w]\n\t"
                     "ld %[t], X\n\t"
                     "add %[t], r0\n\t"
                     "st X+, %[t]\n\t"
                     "ld %[t], X\n\t"
                     "adc %[t], r1\n\t"
                     "st X+, %[t]\n\t"
                     "ld %[t], X\n\t"
                     "adc %[t], %[w]\n\t"
                     "st X+, %[t]\n\t"
                     "ld %[t], X\n\t"
                     "adc %[t], %[w]\n\t"
                     "st X+, %[t]\n\t"
                     "dec %[n]\n\t"
                     "brne 1b\n\t"
                     "clr __zero_reg__"
                     : "+z"(s), "+x"(y), [n] "+r"(outputs), [w] "=&a"(w), [t] "=&r"(t)
                     : [near] "a"(near)
                     : "memory");
}

#else

NSK_INLINE uint32_t distance(uint8_t size, const int8_t *z, const int8_t **b)
{
    uint32_t sum = 0;
    for (uint8_t i = size; i; i--) {
        const int32_t difference = *z++ - nsk_flash_i8((*b)++);
        sum += (uint32_t)(difference * difference);
    }
    return sum;
}

NSK_INLINE void add_scores(uint8_t outputs, const int8_t *s, uint8_t near, int32_t *y)
{
    for (uint8_t l = outputs; l; l--) {
        *y++ += (int16_t)nsk_flash_i8(s++) * (int16_t)near;
    }
}

#endif

/* The sum shifted, or 255 where it goes beyond the table's last entry. */
NSK_INLINE uint8_t entry_of(uint32_t sum, uint8_t shift, uint8_t last)
{
    if (shift < 16 && (uint32_t)last << shift <= 65535) { /* two bytes tell */
        const uint16_t entry = (uint16_t)((uint16_t)sum >> shift);
        return sum <= 65535 && entry < last ? (uint8_t)entry : 255;
    }
    const uint32_t entry = sum >> shift;
    return entry < last ? (uint8_t)entry : 255;
}

void nsk_prototypes_s8(const nsk_prototypes *p, const int8_t *z, const int8_t *b, const int8_t *s,
                       const uint8_t *table, int32_t *y)
{
    const uint8_t outputs = nsk_param(p->outputs), last = nsk_param(p->last);
    for (uint8_t l = 0; l < outputs; l++) {
        y[l] = 0;
    }
    for (uint16_t j = nsk_param(p->prototypes); j; j--) {
        const uint32_t sum = distance(nsk_param(p->size), z, &b);
        const uint8_t entry = entry_of(sum, nsk_param(p->shift), last);
        if (entry < last) {
            add_scores(outputs, s, nsk_flash_u8(table + entry), y);
        }
        s += outputs;
    }
}
