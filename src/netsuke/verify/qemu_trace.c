/* A plugin of QEMU that notes where the blocks of a program begin and end, as netsuke_enter of
 * hooks.c does in Unicorn. Arguments: base=, bytes= (the code), out= (a file). The prototypes are
 * those of QEMU's plugin interface, version 1 (QEMU 4.2 to 8.x).
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

struct qemu_plugin_tb;
struct qemu_plugin_insn;
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
                                           void (*call)(uint64_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, void (*call)(unsigned, void *),
                                          int flags, void *user);
void qemu_plugin_register_atexit_cb(uint64_t id, void (*call)(uint64_t, void *), void *user);

EXPORT int qemu_plugin_version = 1;

typedef struct {
    uint64_t start, end; /* halfwords from the first one of the code */
} block;

static uint64_t base, bytes, last, *counts; /* starts, ends, jumps, one behind the other */
static char out[4096];

static void enter(unsigned cpu, void *user)
{
    const block *b = user;
    uint64_t row = bytes / 2 + 2;
    (void)cpu;
    if (last != 0 && last != b->start + 1) {
        counts[2 * row + last - 1]++;
    }
    counts[b->start]++;
    counts[row + b->end]++;
    last = b->end + 1;
}

static void translate(uint64_t id, struct qemu_plugin_tb *tb)
{
    uint64_t start = qemu_plugin_tb_vaddr(tb);
    size_t count = qemu_plugin_tb_n_insns(tb);
    struct qemu_plugin_insn *end = qemu_plugin_tb_get_insn(tb, count - 1);
    uint64_t behind = qemu_plugin_insn_vaddr(end) + qemu_plugin_insn_size(end);
    (void)id;
    if (start - base < bytes && behind - base <= bytes) {
        block *b = malloc(sizeof(block)); /* lives as long as the translated block */
        if (b != NULL) {
            b->start = (start - base) / 2;
            b->end = (behind - base) / 2;
            qemu_plugin_register_vcpu_tb_exec_cb(tb, enter, 0, b);
        }
    }
}

static void finish(uint64_t id, void *user)
{
    FILE *file = fopen(out, "wb");
    (void)id, (void)user;
    if (file != NULL) {
        fwrite(counts, sizeof(uint64_t), 3 * (bytes / 2 + 2), file);
        fclose(file);
    }
}

EXPORT int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        const char *value = strchr(argv[i], '=') ? strchr(argv[i], '=') + 1 : "";
        if (strncmp(argv[i], "base=", 5) == 0) {
            base = strtoull(value, NULL, 0);
        } else if (strncmp(argv[i], "bytes=", 6) == 0) {
            bytes = strtoull(value, NULL, 0);
        } else if (strncmp(argv[i], "out=", 4) == 0 && strlen(value) < sizeof(out)) {
            strcpy(out, value);
        }
    }
    counts = calloc(3 * (bytes / 2 + 2), sizeof(uint64_t));
    if (counts == NULL || out[0] == 0) {
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    qemu_plugin_register_atexit_cb(id, finish, NULL);
    return 0;
}
