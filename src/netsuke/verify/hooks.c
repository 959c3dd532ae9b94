/* Hooks that an emulated Thumb program runs under.
 *
 * netsuke_block counts executed instructions. Unicorn calls it before each basic block, with the
 * block's address and length in bytes. The number of instructions in those bytes is worked out once
 * and kept: a halfword whose top five bits are 11101, 11110 or 11111 starts an instruction of four
 * bytes, any other one of two.
 *
 * netsuke_enter notes where blocks begin and end; how often each instruction ran follows from it.
 * netsuke_read and netsuke_load_at note loads from one memory that a small buffer misses.
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
    uint64_t base;    /* address of the first halfword */
    uint64_t bytes;   /* length of the code */
    uint64_t *starts; /* for each halfword: blocks that began there */
    uint64_t *ends;   /* blocks that ended before it */
    uint64_t *jumps;  /* blocks that ended before it and did not go on there */
    uint64_t last;    /* where the block before this one ended; 0: none */
} netsuke_trace;

void netsuke_enter(void *emulator, uint64_t address, uint32_t size, void *user)
{
    netsuke_trace *t = user;
    uint64_t at = address - t->base;
    (void)emulator;
    if (at >= t->bytes || size > t->bytes - at) {
        return;
    }
    if (t->last != 0 && t->last != address) {
        t->jumps[(t->last - t->base) / 2]++;
    }
    t->starts[at / 2]++;
    t->ends[(at + size) / 2]++;
    t->last = address + size;
}

typedef struct {
    uint64_t base, bytes;  /* the memory that is watched */
    uint64_t reads;        /* loads from it */
    uint64_t misses;       /* those whose line was not kept */
    uint32_t shift, lines; /* bytes of a line as a power of two; lines that are kept */
    uint64_t *kept;        /* line numbers, the most recent one first */
} netsuke_lines;

typedef struct {
    int (*read)(void *emulator, int number, void *value);
    netsuke_lines *lines;
    int32_t base, index; /* register numbers of the emulator; < 0: none */
    uint32_t shift;      /* of the index */
    uint32_t offset;     /* added to both */
    uint32_t bytes;      /* that are loaded */
} netsuke_load;

/* A fully associative buffer whose oldest line goes first. */
static void touch(netsuke_lines *l, uint64_t line)
{
    uint32_t at = 0;
    while (at < l->lines && l->kept[at] != line) {
        at++;
    }
    if (at == l->lines) {
        l->misses++;
        at--;
    }
    for (; at > 0; at--) {
        l->kept[at] = l->kept[at - 1];
    }
    l->kept[0] = line;
}

/* Unicorn's hook of all reads, which derails programs that load inside an IT block. */
void netsuke_read(void *emulator, int kind, uint64_t address, int size, int64_t value, void *user)
{
    netsuke_lines *l = user;
    (void)emulator, (void)kind, (void)size, (void)value;
    if (address - l->base < l->bytes) {
        l->reads++;
        touch(l, address >> l->shift);
    }
}

/* One load, watched from the instruction. */
void netsuke_load_at(void *emulator, uint64_t at, uint32_t size, void *user)
{
    netsuke_load *a = user;
    netsuke_lines *l = a->lines;
    uint32_t base = 0, index = 0;
    (void)at, (void)size;
    if (a->base >= 0) {
        a->read(emulator, a->base, &base);
    }
    if (a->index >= 0) {
        a->read(emulator, a->index, &index);
    }
    uint32_t first = base + (index << a->shift) + a->offset;
    if (first - l->base >= l->bytes) {
        return;
    }
    l->reads++;
    for (uint64_t line = first >> l->shift; line <= (first + a->bytes - 1) >> l->shift; line++) {
        touch(l, line);
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
