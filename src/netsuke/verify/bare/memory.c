/* memcpy, memmove, memset, memcmp for a Cortex-M without a C library.
 *
 * Words are moved where both pointers allow it. Compiled with -fno-builtin, or the compiler would
 * recognise the loops and make each function call itself.
 */
#include <stdint.h>
#include <string.h>

typedef uint32_t __attribute__((may_alias)) word;

static inline void forward(uint8_t *t, const uint8_t *f, size_t size)
{
    if ((((uintptr_t)t | (uintptr_t)f) & 3u) == 0) {
        for (; size >= 16; size -= 16, t += 16, f += 16) {
            word a = ((const word *)f)[0], b = ((const word *)f)[1];
            word c = ((const word *)f)[2], d = ((const word *)f)[3];
            ((word *)t)[0] = a;
            ((word *)t)[1] = b;
            ((word *)t)[2] = c;
            ((word *)t)[3] = d;
        }
        for (; size >= 4; size -= 4, t += 4, f += 4) {
            *(word *)t = *(const word *)f;
        }
    }
    for (; size > 0; size--) {
        *t++ = *f++;
    }
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    forward(to, from, size);
    return to;
}

void *memmove(void *to, const void *from, size_t size)
{
    uint8_t *t = to;
    const uint8_t *f = from;
    if ((uintptr_t)t - (uintptr_t)f >= size) {
        forward(t, f, size);
        return to;
    }
    while (size > 0) {
        size--;
        t[size] = f[size];
    }
    return to;
}

void *memset(void *to, int value, size_t size)
{
    uint8_t *t = to;
    uint8_t byte = (uint8_t)value;
    if (((uintptr_t)t & 3u) == 0) {
        word four = byte * 0x01010101u;
        for (; size >= 16; size -= 16, t += 16) {
            ((word *)t)[0] = four;
            ((word *)t)[1] = four;
            ((word *)t)[2] = four;
            ((word *)t)[3] = four;
        }
    }
    for (; size > 0; size--) {
        *t++ = byte;
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const uint8_t *x = a, *y = b;
    for (; size > 0; size--, x++, y++) {
        if (*x != *y) {
            return *x < *y ? -1 : 1;
        }
    }
    return 0;
}

/* The names that the Arm run-time interface gives them; compilers call these directly. */
void __aeabi_memcpy(void *to, const void *from, size_t size)
{
    memcpy(to, from, size);
}
void __aeabi_memcpy4(void *to, const void *from, size_t size)
{
    memcpy(to, from, size);
}
void __aeabi_memcpy8(void *to, const void *from, size_t size)
{
    memcpy(to, from, size);
}
void __aeabi_memmove(void *to, const void *from, size_t size)
{
    memmove(to, from, size);
}
void __aeabi_memmove4(void *to, const void *from, size_t size)
{
    memmove(to, from, size);
}
void __aeabi_memmove8(void *to, const void *from, size_t size)
{
    memmove(to, from, size);
}
void __aeabi_memset(void *to, size_t size, int value)
{
    memset(to, value, size);
}
void __aeabi_memset4(void *to, size_t size, int value)
{
    memset(to, value, size);
}
void __aeabi_memset8(void *to, size_t size, int value)
{
    memset(to, value, size);
}
void __aeabi_memclr(void *to, size_t size)
{
    memset(to, 0, size);
}
void __aeabi_memclr4(void *to, size_t size)
{
    memset(to, 0, size);
}
void __aeabi_memclr8(void *to, size_t size)
{
    memset(to, 0, size);
}
