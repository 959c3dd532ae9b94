/* Runs a firmware in simavr and counts: rig ELF MCU CLOCK COUNT LIMIT FIRST IN OUT FIGURES PORTS...
 *
 * The firmware writes 1 to GPIOR0 when a sample shall lie in its memory and 2 when it has been
 * computed. PORTS are `i ADDRESS BYTES` and `o ADDRESS BYTES`; files hold each sample port by port.
 * FIGURES gets cycles and instructions of each sample (uint64 both), then the bytes of stack that
 * the inferences took and whether the memory behind the variables, from FIRST on, stayed untouched
 * (uint32 both).
 *
 * Exit status: 70 the program crashed, 71 a file is refused, 73 one sample took too many cycles,
 * 74 the firmware is refused.
 */
#include <simavr/sim_avr.h>
#include <simavr/sim_elf.h>
#include <simavr/sim_io.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GPIOR0 0x3e
#define PAINT 0xc5
#define GARBAGE 0xa7
#define FENCE 16
#define MOST_PORTS 32

typedef struct {
    int output;
    unsigned address, bytes;
} port;

static struct {
    port ports[MOST_PORTS];
    int port_count;
    long count, sample;
    int running, done;
    unsigned first, lowest, base;
    uint64_t cycle, steps, limit;
    FILE *in, *out, *figures;
} rig;

static void stop(int status, const char *why)
{
    fprintf(stderr, "%s\n", why);
    exit(status);
}

static unsigned stack_pointer(const avr_t *avr)
{
    return (unsigned)avr->data[R_SPL] | (unsigned)avr->data[R_SPH] << 8;
}

static void begin(avr_t *avr)
{
    if (rig.sample == 0) { /* what the program has not written itself holds no zeros */
        for (int i = 0; i < rig.port_count; i++) {
            memset(avr->data + rig.ports[i].address, GARBAGE, rig.ports[i].bytes);
        }
        memset(avr->data + rig.first, PAINT, stack_pointer(avr) + 1 - rig.first);
    }
    if (rig.sample == rig.count) {
        rig.done = 1;
        return;
    }
    for (int i = 0; i < rig.port_count; i++) {
        const port *one = &rig.ports[i];
        if (!one->output && fread(avr->data + one->address, 1, one->bytes, rig.in) != one->bytes) {
            stop(71, "the inputs are too short");
        }
    }
    rig.base = stack_pointer(avr);
    rig.lowest = rig.lowest < rig.base ? rig.lowest : rig.base;
    rig.cycle = avr->cycle;
    rig.steps = 0;
    rig.running = 1;
}

static void end(avr_t *avr)
{
    /* The write that ends the sample has been counted: OUT takes one cycle. */
    const uint64_t figures[2] = {avr->cycle - rig.cycle - 1, rig.steps};
    rig.running = 0;
    rig.sample++;
    for (int i = 0; i < rig.port_count; i++) {
        const port *one = &rig.ports[i];
        if (one->output && fwrite(avr->data + one->address, 1, one->bytes, rig.out) != one->bytes) {
            stop(71, "the outputs cannot be written");
        }
    }
    if (fwrite(figures, sizeof figures, 1, rig.figures) != 1) {
        stop(71, "the figures cannot be written");
    }
}

static void marked(avr_t *avr, avr_io_addr_t address, uint8_t value, void *unused)
{
    (void)unused;
    avr->data[address] = value;
    if (value == 1) {
        begin(avr);
    } else if (value == 2 && rig.running) {
        end(avr);
    }
}

static void quiet(avr_t *avr, const int level, const char *format, va_list values)
{
    (void)avr;
    if (level == LOG_ERROR) {
        vfprintf(stderr, format, values);
    }
}

static FILE *opened(const char *path, const char *mode)
{
    FILE *file = fopen(path, mode);
    if (!file) {
        stop(71, path);
    }
    return file;
}

static avr_t *machine(const char *elf, const char *mcu, const char *clock)
{
    elf_firmware_t firmware;
    memset(&firmware, 0, sizeof firmware);
    if (elf_read_firmware(elf, &firmware)) {
        stop(74, "the firmware cannot be read");
    }
    avr_t *avr = avr_make_mcu_by_name(mcu);
    if (!avr) {
        stop(74, "simavr does not know this microcontroller");
    }
    avr_global_logger_set(quiet);
    avr_init(avr);
    firmware.frequency = (uint32_t)strtoul(clock, 0, 10);
    strncpy(firmware.mmcu, mcu, sizeof firmware.mmcu - 1);
    if (firmware.flashsize > avr->flashend + 1) {
        stop(74, "the firmware is larger than the flash");
    }
    avr_load_firmware(avr, &firmware);
    avr->gdb_port = 0;
    avr->log = LOG_ERROR;
    avr_register_io_write(avr, GPIOR0, marked, 0);
    return avr;
}

static int fence_stands(const avr_t *avr)
{
    for (unsigned i = 0; i < FENCE; i++) {
        if (rig.first + i < rig.lowest - FENCE && avr->data[rig.first + i] != PAINT) {
            return 0;
        }
    }
    return 1;
}

static void run(avr_t *avr)
{
    while (!rig.done) {
        avr->run_cycle_limit = 1; /* one instruction a call */
        const int state = avr_run(avr);
        if (state == cpu_Crashed || state == cpu_Done) {
            stop(70, "the program crashed");
        }
        if (rig.running) {
            const unsigned sp = stack_pointer(avr);
            rig.lowest = sp < rig.lowest ? sp : rig.lowest;
            rig.steps++;
        }
        if (avr->cycle - rig.cycle > rig.limit) {
            stop(73, "one sample took too many cycles");
        }
    }
}

int main(int count, char **words)
{
    if (count < 10 || (count - 10) % 3 || (count - 10) / 3 > MOST_PORTS) {
        stop(71, "usage: rig ELF MCU CLOCK COUNT LIMIT FIRST IN OUT FIGURES PORTS...");
    }
    rig.count = atol(words[4]);
    rig.limit = strtoull(words[5], 0, 10);
    rig.first = (unsigned)strtoul(words[6], 0, 0);
    rig.lowest = ~0u;
    rig.in = opened(words[7], "rb");
    rig.out = opened(words[8], "wb");
    rig.figures = opened(words[9], "wb");
    avr_t *avr = machine(words[1], words[2], words[3]);
    for (int i = 10; i < count; i += 3) {
        port *one = &rig.ports[rig.port_count++];
        one->output = words[i][0] == 'o';
        one->address = (unsigned)strtoul(words[i + 1], 0, 0);
        one->bytes = (unsigned)strtoul(words[i + 2], 0, 0);
        if (one->address + one->bytes > avr->ramend + 1u) {
            stop(74, "a port lies outside of the memory");
        }
    }
    run(avr);
    const uint32_t last[2] = {rig.base - rig.lowest, (uint32_t)fence_stands(avr)};
    if (fwrite(last, sizeof last, 1, rig.figures) != 1 || fclose(rig.figures) || fclose(rig.out)) {
        stop(71, "a file cannot be written");
    }
    return 0;
}
