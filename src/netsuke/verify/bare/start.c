/* Start-up for an emulated core without a C library: clear, copy, stop.
 *
 * After it the emulator calls the model's functions itself; they return to netsuke_stop.
 */
#include <stdint.h>

extern uint32_t netsuke_data_load[], netsuke_data_start[], netsuke_data_end[];
extern uint32_t netsuke_bss_start[], netsuke_bss_end[], netsuke_stack_top[];

void netsuke_stop(void);
void _start(void);

__attribute__((section(".vectors"), used)) const uintptr_t netsuke_vectors[] = {
    (uintptr_t)netsuke_stack_top,
    (uintptr_t)_start,
};

__attribute__((naked, used)) void netsuke_stop(void)
{
#if defined(__aarch64__)
    __asm volatile("brk #0");
#elif defined(__riscv)
    __asm volatile("ebreak");
#else
    __asm volatile("bkpt 0");
#endif
}

void _start(void)
{
    const uint32_t *from = netsuke_data_load;
    for (uint32_t *to = netsuke_data_start; to < netsuke_data_end; to++, from++) {
        *to = *from;
    }
    for (uint32_t *to = netsuke_bss_start; to < netsuke_bss_end; to++) {
        *to = 0;
    }
    netsuke_stop();
}
