/* Hooks that an emulated Thumb program runs under.
 *
 * netsuke_block counts executed instructions, one call a basic block. Unicorn calls netsuke_block before each block, with its address and length in bytes. The number
 * of instructions in those bytes is worked out once and kept: a halfword whose top five bits are
 * 11101, 11110 or 11111 starts an instruction of four bytes, any other one of two.
 *
 * netsuke_check stands at one load or store and looks whether its address is aligned.
 */
#include <stdint.h>

typedef struct {
    uint64_t executed;   /* instructions so far */
    uint64_t limit;      /* stop the emulator beyond this many */
    uint64_t base;       /* address of code[0] */
    uint64_t bytes;      /* length of code */
    const uint8_t *code; /* the image */
    uint32_t *sizes;     /* for each halfword: bytes of the block last seen there */
    uint32_t *counts;    /* and its instructions */
    int (*stop)(void *emulator);
    uint64_t outside; /* blocks that do not lie in the image: the count is void */
} netsuke_counter;

static uint32_t instructions(const uint8_t *code, uint32_t bytes)
{
    uint32_t count = 0;
    for (uint32_t at = 0; at + 1 < bytes; count++) {
        at += (code[at + 1] >> 3) >= 0x1d ? 4u : 2u;
    }
    return count;
}

void netsuke_block(void *emulator, uint64_t address, uint32_t size, void *user)
{
    netsuke_counter *c = user;
    uint64_t at = address - c->base;
    if (at >= c->bytes || size > c->bytes - at || size == 0) {
        c->outside++;
        return;
    }
    if (c->sizes[at / 2] != size) {
        c->sizes[at / 2] = size;
        c->counts[at / 2] = instructions(c->code + at, size);
    }
    c->executed += c->counts[at / 2];
    if (c->executed > c->limit) {
        c->stop(emulator);
    }
}

typedef struct {
    int (*read)(void *emulator, int number, void *value);
    int32_t base, offset; /* register numbers of the emulator; offset < 0: none */
    uint32_t mask;        /* bits of the address that must be zero */
    uint32_t count;       /* times that one was not */
    uint32_t address;     /* the last of these addresses */
} netsuke_access;

void netsuke_check(void *emulator, uint64_t at, uint32_t size, void *user)
{
    netsuke_access *a = user;
    uint32_t address = 0, offset = 0;
    (void)at;
    (void)size;
    a->read(emulator, a->base, &address);
    if (a->offset >= 0) {
        a->read(emulator, a->offset, &offset);
    }
    if (((address + offset) & a->mask) != 0) {
        a->count++;
        a->address = address + offset;
    }
}
