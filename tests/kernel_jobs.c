/* Runs kernels on buffers that a file describes, and writes the buffers back.
 *
 * The file is little-endian words (uint32): the number of jobs; of each job the number of its
 * function, of its blocks, of its arguments; of each block the bytes, how far it lies behind an
 * aligned address, the number of its pointers, (where, to which block) of each pointer, then the
 * bytes themselves; then the block of each argument (all ones: a null pointer). Answered are, for
 * each job, whether the fences stand (uint32) and the bytes of every block.
 *
 * On a computer each block is an allocation of its own, so that a sanitizer sees every byte beside
 * it; on a board that serves files by its debugger, blocks lie in one array between fences.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef void (*function)(void *, void *, void *, void *, void *, void *, void *, void *);
extern void (*const nsk_functions[])(void);

enum { BLOCKS = 16, ARGUMENTS = 8, FENCE = 32, ALIGN = 16, CANARY = 0x9E };

static void take(void *to, uint32_t bytes);
static void give(const void *from, uint32_t bytes);
static void finish(uint32_t code);

static uint32_t number(void)
{
    uint32_t word = 0;
    take(&word, sizeof word);
    return word;
}

#ifdef NSK_ON_BOARD

#define memory model_arena /* where the linker has most room */
extern uint8_t model_arena[];
extern const uint32_t model_arena_bytes;
static uint32_t used;

static uint8_t *allocate(uint32_t bytes)
{
    uint8_t *place = memory + used + FENCE;
    used += (bytes + 2 * FENCE + ALIGN - 1) / ALIGN * ALIGN;
    if (used > model_arena_bytes) {
        finish(73);
    }
    return place;
}

static void begin(void)
{
    /* Once all of it, then what the last job used. */
    memset(memory, CANARY, used ? used : model_arena_bytes);
    used = 0;
}

static int stands(const uint8_t *from, const uint8_t *to)
{
    for (; from < to; from++) {
        if (*from != CANARY) {
            return 0;
        }
    }
    return 1;
}

static void release(uint8_t *place)
{
    (void)place;
}

#else

#include <stdlib.h>

static uint8_t *allocate(uint32_t bytes)
{
    uint8_t *place = malloc(bytes ? bytes : 1);
    if (!place) {
        finish(73);
    }
    return place;
}

static void begin(void)
{
}

static void release(uint8_t *place)
{
    free(place);
}

#endif

typedef struct {
    uint8_t *place, *start;
    uint32_t bytes, pointers;
    uint32_t where[ARGUMENTS], to[ARGUMENTS];
} block;

static block blocks[BLOCKS];

static void read_block(block *b)
{
    b->bytes = number();
    const uint32_t behind = number();
    b->pointers = number();
    if (b->pointers > ARGUMENTS) {
        finish(74);
    }
    for (uint32_t i = 0; i < b->pointers; i++) {
        b->where[i] = number();
        b->to[i] = number();
    }
    b->place = allocate(b->bytes + behind);
    b->start = b->place + behind;
    take(b->start, b->bytes);
}

static void run(void)
{
    for (uint32_t jobs = number(); jobs > 0; jobs--) {
        const function called = (function)nsk_functions[number()];
        const uint32_t count = number(), arguments = number();
        void *given[ARGUMENTS] = {0};
        if (count > BLOCKS || arguments > ARGUMENTS) {
            finish(74);
        }
        begin();
        for (uint32_t i = 0; i < count; i++) {
            read_block(&blocks[i]);
        }
        for (uint32_t i = 0; i < count; i++) {
            for (uint32_t j = 0; j < blocks[i].pointers; j++) {
                const uint8_t *target = blocks[blocks[i].to[j]].start;
                memcpy(blocks[i].start + blocks[i].where[j], &target, sizeof target);
            }
        }
        for (uint32_t i = 0; i < arguments; i++) {
            const uint32_t target = number();
            given[i] = target == UINT32_MAX ? NULL : blocks[target].start;
        }
        called(given[0], given[1], given[2], given[3], given[4], given[5], given[6], given[7]);
        uint32_t standing = 1;
#ifdef NSK_ON_BOARD
        const uint8_t *free_from = memory;
        for (uint32_t i = 0; i < count; i++) {
            standing &= (uint32_t)stands(free_from, blocks[i].start);
            free_from = blocks[i].start + blocks[i].bytes;
        }
        standing &= (uint32_t)stands(free_from, memory + used);
#endif
        give(&standing, sizeof standing);
        for (uint32_t i = 0; i < count; i++) {
            give(blocks[i].start, blocks[i].bytes);
            release(blocks[i].place);
        }
    }
}

#ifdef NSK_ON_BOARD

enum { OPEN = 1, CLOSE = 2, WRITE = 5, READ = 6, EXIT = 0x20, STOPPED = 0x20026 };
enum { READ_BINARY = 1, WRITE_BINARY = 5, BUFFER = 512 };

extern uint32_t netsuke_stack_top[], netsuke_bss_start[], netsuke_bss_end[];
extern uint32_t netsuke_data_load[], netsuke_data_start[], netsuke_data_end[];

static uint8_t source[BUFFER], sink[BUFFER];
static uint32_t at = BUFFER, filled, in, out;

static uint32_t call(uint32_t operation, const void *arguments)
{
    register uint32_t r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = arguments;
    __asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static void finish(uint32_t code)
{
    uint32_t arguments[] = {STOPPED, code};
    call(EXIT, arguments);
    for (;;) {
    }
}

static void take(void *to, uint32_t bytes)
{
    uint8_t *t = to;
    while (bytes > 0) {
        if (at == BUFFER) {
            const uint32_t arguments[] = {in, (uint32_t)(uintptr_t)source, BUFFER};
            call(READ, arguments); /* the last part is shorter */
            at = 0;
        }
        const uint32_t part = bytes < BUFFER - at ? bytes : BUFFER - at;
        memcpy(t, source + at, part);
        t += part;
        at += part;
        bytes -= part;
    }
}

static void flush(void)
{
    const uint32_t arguments[] = {out, (uint32_t)(uintptr_t)sink, filled};
    if (filled > 0 && call(WRITE, arguments) != 0) {
        finish(72);
    }
    filled = 0;
}

static void give(const void *from, uint32_t bytes)
{
    const uint8_t *f = from;
    while (bytes > 0) {
        const uint32_t part = bytes < BUFFER - filled ? bytes : BUFFER - filled;
        memcpy(sink + filled, f, part);
        f += part;
        filled += part;
        bytes -= part;
        if (filled == BUFFER) {
            flush();
        }
    }
}

static uint32_t open_file(const char *name, uint32_t length, uint32_t mode)
{
    const uint32_t arguments[] = {(uint32_t)(uintptr_t)name, mode, length};
    const uint32_t handle = call(OPEN, arguments);
    if (handle == UINT32_MAX) {
        finish(71);
    }
    return handle;
}

static void fault(void)
{
    finish(70);
}

void _start(void);
void _start(void)
{
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
    *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20; /* floating point and MVE may be used */
    __asm volatile("dsb\n\tisb" ::: "memory");
#endif
    const uint32_t *from = netsuke_data_load;
    for (uint32_t *to = netsuke_data_start; to < netsuke_data_end; to++, from++) {
        *to = *from;
    }
    for (uint32_t *to = netsuke_bss_start; to < netsuke_bss_end; to++) {
        *to = 0;
    }
    at = BUFFER;
    in = open_file("jobs", 4, READ_BINARY);
    out = open_file("answers", 7, WRITE_BINARY);
    run();
    flush();
    call(CLOSE, &in);
    call(CLOSE, &out);
    finish(0);
}

__attribute__((section(".vectors"), used)) const uintptr_t netsuke_vectors[16] = {
    (uintptr_t)netsuke_stack_top,
    (uintptr_t)_start,
    (uintptr_t)fault,
    (uintptr_t)fault,
    (uintptr_t)fault,
    (uintptr_t)fault,
    (uintptr_t)fault,
    (uintptr_t)fault,
    (uintptr_t)fault,
    (uintptr_t)fault,
    (uintptr_t)fault,
    (uintptr_t)fault,
    (uintptr_t)fault,
    (uintptr_t)fault,
    (uintptr_t)fault,
    (uintptr_t)fault,
};

#else

#include <stdio.h>

static FILE *in, *out;

static void finish(uint32_t code)
{
    exit((int)code);
}

static void take(void *to, uint32_t bytes)
{
    if (fread(to, 1, bytes, in) != bytes) {
        finish(72);
    }
}

static void give(const void *from, uint32_t bytes)
{
    if (fwrite(from, 1, bytes, out) != bytes) {
        finish(72);
    }
}

int main(int count, char **words)
{
    in = count == 3 ? fopen(words[1], "rb") : NULL;
    out = count == 3 ? fopen(words[2], "wb") : NULL;
    if (!in || !out) {
        return 71;
    }
    run();
    return fclose(out) == 0 ? 0 : 72;
}

#endif
