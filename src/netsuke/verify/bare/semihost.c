/* Start-up and main loop for an emulated Cortex-M board whose debugger serves files (semihosting).
 *
 * Reads ``inputs`` sample by sample, port by port; writes ``outputs`` in the same manner, and
 * ``figures``: for each sample the SysTick ticks of the inference (uint64), then bytes of stack
 * (uint32) and whether all canaries stand (uint32).
 */
#include <stdint.h>
#include <string.h>

#include "model.h"

void *model_input(int index); /* what every artifact offers at last, see pushed.py */
void model_invoke(void);

extern uint32_t netsuke_data_load[], netsuke_data_start[], netsuke_data_end[];
extern uint32_t netsuke_bss_start[], netsuke_bss_end[];
extern uint8_t netsuke_stack_bottom[];
extern uint32_t netsuke_stack_top[];
extern const uint32_t netsuke_arenas[]; /* address and bytes of each arena, then 0 */
extern const uint32_t netsuke_input_bytes[], netsuke_output_bytes[];
extern const int netsuke_inputs, netsuke_outputs;
extern const uint32_t netsuke_samples;

void _start(void);

enum { OPEN = 1, CLOSE = 2, WRITE = 5, READ = 6, EXIT = 0x20 };
enum { READ_BINARY = 1, WRITE_BINARY = 5 };
enum { STOPPED = 0x20026 };
enum { PAINT = 0xC5, CANARY = 0x9E, GARBAGE = 0xA7, FENCE = 64 };

static uint32_t call(uint32_t operation, const void *arguments)
{
    register uint32_t r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = arguments;
    __asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static __attribute__((noreturn)) void finish(uint32_t code)
{
    uint32_t arguments[] = {STOPPED, code};
    call(EXIT, arguments);
    for (;;) {
    }
}

static void fault(void)
{
    finish(70);
}

static uint32_t open_file(const char *name, uint32_t length, uint32_t mode)
{
    const uint32_t arguments[] = {(uint32_t)(uintptr_t)name, mode, length};
    uint32_t handle = call(OPEN, arguments);
    if (handle == UINT32_MAX) {
        finish(71);
    }
    return handle;
}

static void transfer(uint32_t operation, uint32_t handle, const void *data, uint32_t bytes)
{
    const uint32_t arguments[] = {handle, (uint32_t)(uintptr_t)data, bytes};
    if (call(operation, arguments) != 0) {
        finish(72);
    }
}

/* SysTick counts down 24 bits; the handler counts its rounds. */
#define SYST_CSR (*(volatile uint32_t *)0xE000E010u)
#define SYST_RVR (*(volatile uint32_t *)0xE000E014u)
#define SYST_CVR (*(volatile uint32_t *)0xE000E018u)
#define CPACR (*(volatile uint32_t *)0xE000ED88u)

static volatile uint32_t rounds;

static void tick(void)
{
    rounds++;
}

/* Elapsed ticks; read again when a round ended in between. */
static uint64_t now(void)
{
    uint32_t before, value;
    do {
        before = rounds;
        value = SYST_CVR;
    } while (before != rounds);
    return ((uint64_t)before << 24) + (0xFFFFFFu - value);
}

static int canaries_stand(void)
{
    for (const uint32_t *a = netsuke_arenas; a[0] != 0; a += 2) {
        const uint8_t *before = (const uint8_t *)(uintptr_t)(a[0] - FENCE);
        const uint8_t *behind = (const uint8_t *)(uintptr_t)(a[0] + a[1]);
        for (int i = 0; i < FENCE; i++) {
            if (before[i] != CANARY || behind[i] != CANARY) {
                return 0;
            }
        }
    }
    return 1;
}

static void paint(void)
{
    for (const uint32_t *a = netsuke_arenas; a[0] != 0; a += 2) {
        memset((uint8_t *)(uintptr_t)(a[0] - FENCE), CANARY, FENCE);
        memset((uint8_t *)(uintptr_t)a[0], GARBAGE, a[1]);
        memset((uint8_t *)(uintptr_t)(a[0] + a[1]), CANARY, FENCE);
    }
}

/* Stack of one inference: paint what lies below, infer, look how far the paint is gone. */
static __attribute__((noinline)) uint32_t measured(uint64_t *ticks)
{
    uint8_t *top = __builtin_frame_address(0);
    uint8_t *low = netsuke_stack_bottom;
    for (volatile uint8_t *at = low; at < top - 128; at++) {
        *at = PAINT;
    }
    uint64_t start = now();
    model_invoke();
    *ticks = now() - start;
    while (low < top && *low == PAINT) {
        low++;
    }
    return (uint32_t)(top - low);
}

static void run(void)
{
    uint32_t in = open_file("inputs", 6, READ_BINARY);
    uint32_t out = open_file("outputs", 7, WRITE_BINARY);
    uint32_t figures = open_file("figures", 7, WRITE_BINARY);
    uint32_t last[2] = {0, 0};
    paint();
    for (uint32_t sample = 0; sample < netsuke_samples; sample++) {
        for (int i = 0; i < netsuke_inputs; i++) {
            transfer(READ, in, model_input(i), netsuke_input_bytes[i]);
        }
        uint64_t ticks;
        uint32_t stack = measured(&ticks);
        last[0] = stack > last[0] ? stack : last[0];
        transfer(WRITE, figures, &ticks, sizeof ticks);
        for (int i = 0; i < netsuke_outputs; i++) {
            transfer(WRITE, out, model_output(i), netsuke_output_bytes[i]);
        }
    }
    last[1] = (uint32_t)canaries_stand();
    transfer(WRITE, figures, last, sizeof last);
    call(CLOSE, &in);
    call(CLOSE, &out);
    call(CLOSE, &figures);
}

void _start(void)
{
#if defined(__ARM_FP)
    CPACR |= 0xFu << 20; /* the floating-point unit (and MVE) may be used */
    __asm volatile("dsb\n\tisb" ::: "memory");
#elif defined(__ARM_FEATURE_MVE)
    CPACR |= 0xFu << 20;
    __asm volatile("dsb\n\tisb" ::: "memory");
#endif
    const uint32_t *from = netsuke_data_load;
    for (uint32_t *to = netsuke_data_start; to < netsuke_data_end; to++, from++) {
        *to = *from;
    }
    for (uint32_t *to = netsuke_bss_start; to < netsuke_bss_end; to++) {
        *to = 0;
    }
    SYST_RVR = 0xFFFFFFu;
    SYST_CVR = 0;
    SYST_CSR = 7; /* on, with its exception, at the speed of the core */
    run();
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
    (uintptr_t)tick,
};
