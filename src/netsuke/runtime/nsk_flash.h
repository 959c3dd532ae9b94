/* Tables and parameters that stay in program memory.
 *
 * A core of the AVR family reads its flash with an instruction of its own (LPM); what a plain C
 * pointer reaches is copied to RAM before main. So a kernel that shall run there reads
 *
 *   - its tables, given as arguments or as pointers among its parameters, with nsk_flash_*(address),
 *   - its parameters with nsk_param(p->field),
 *
 * and says Kernel(flash=True) in Python. Everywhere else both are plain C, so that one source file
 * serves every device. Activations and scratch are RAM: plain pointers.
 *
 *   const uint8_t units = nsk_param(p->units);
 *   const int8_t weight = nsk_flash_i8(w + i);
 *
 * nsk_param(p->field) is the constant itself where the compiler sees through the pointer (a kernel
 * that is called once, with link-time optimisation): then no parameter is stored at all.
 * A field is an integer of 1, 2 or 4 bytes, or a pointer.
 */
#ifndef NSK_FLASH_H
#define NSK_FLASH_H

#include <stdint.h>
#include <string.h>

#if defined(__AVR__) && defined(__GNUC__)

#define NSK_FLASH __attribute__((__progmem__))

static inline uint8_t nsk_flash_u8(const void *address)
{
    uint8_t value;
    __asm__("lpm %0, Z" : "=r"(value) : "z"(address));
    return value;
}

static inline uint16_t nsk_flash_u16(const void *address)
{
    uint16_t value;
    __asm__("lpm %A0, Z+\n\tlpm %B0, Z" : "=&r"(value), "+z"(address));
    return value;
}

static inline uint32_t nsk_flash_u32(const void *address)
{
    uint32_t value;
    __asm__("lpm %A0, Z+\n\tlpm %B0, Z+\n\tlpm %C0, Z+\n\tlpm %D0, Z"
            : "=&r"(value), "+z"(address));
    return value;
}

static inline void nsk_flash_copy(void *target, const void *address, uint16_t bytes)
{
    uint8_t *to = (uint8_t *)target;
    const uint8_t *from = (const uint8_t *)address;
    while (bytes--) {
        *to++ = nsk_flash_u8(from++);
    }
}

#define nsk_param(field)                                                                           \
    (__builtin_constant_p((field) == 0)                                                            \
         ? (field)                                                                                 \
         : (__typeof__(field))__builtin_choose_expr(                                               \
               sizeof(field) == 1, nsk_flash_u8(&(field)),                                         \
               __builtin_choose_expr(sizeof(field) == 2, nsk_flash_u16(&(field)),                  \
                                     nsk_flash_u32(&(field)))))

#else

#define NSK_FLASH

static inline uint8_t nsk_flash_u8(const void *address)
{
    return *(const uint8_t *)address;
}

static inline uint16_t nsk_flash_u16(const void *address)
{
    uint16_t value;
    memcpy(&value, address, sizeof value);
    return value;
}

static inline uint32_t nsk_flash_u32(const void *address)
{
    uint32_t value;
    memcpy(&value, address, sizeof value);
    return value;
}

static inline void nsk_flash_copy(void *target, const void *address, uint16_t bytes)
{
    memcpy(target, address, bytes);
}

#define nsk_param(field) (field)

#endif

static inline int8_t nsk_flash_i8(const void *address)
{
    return (int8_t)nsk_flash_u8(address);
}

static inline int16_t nsk_flash_i16(const void *address)
{
    return (int16_t)nsk_flash_u16(address);
}

static inline int32_t nsk_flash_i32(const void *address)
{
    return (int32_t)nsk_flash_u32(address);
}

#endif
