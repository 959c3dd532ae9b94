"""Executed instructions are told apart by kind, and cycles follow from kinds."""

from __future__ import annotations

import shutil
from pathlib import PurePosixPath

import numpy as np
import pytest
from random_graphs import random_graph
from verified_models import integer_graph

from netsuke.codegen import compile_graph
from netsuke.devices import device, device_ids
from netsuke.devices.timing import CORES, has_timing, timing
from netsuke.errors import DeviceError
from netsuke.verify import verify
from netsuke.verify.cores import core
from netsuke.verify.cycles import model_cycles
from netsuke.verify.elf import open_elf
from netsuke.verify.mix import kind_of, mix
from netsuke.verify.qemu import PROGRAM
from netsuke.verify.samples import random_samples
from netsuke.verify.toolchain import compile_objects, target_compiler, target_flags
from netsuke.verify.trace import Executed, Tracer
from netsuke.verify.unicorn import UnicornModel

BOARD = device("nucleo-f446re")
KINDS = {
    "adds r0, r1, r2": "alu",
    "add.w r0, r8, r9, lsl #3": "alu",
    "sxtb16 r0, r1, ror #8": "alu",
    "ssat r0, #8, r1, asr #3": "alu",
    "sadd16 r0, r1, r2": "alu",
    "movw r0, #1234": "alu",
    "uxtb r0, r1": "alu",
    "muls r0, r1, r0": "multiply",
    "mul r8, r1, r0": "multiply",
    "smmulr r0, r1, r2": "multiply",
    "smulbb r0, r1, r2": "multiply",
    "smlad r0, r1, r2, r3": "multiply_add",
    "smlabb r0, r1, r2, r3": "multiply_add",
    "mla r0, r1, r2, r3": "multiply_add",
    "smull r0, r1, r2, r3": "multiply_long",
    "umull r0, r1, r2, r3": "multiply_long",
    "smlal r0, r1, r2, r3": "multiply_add_long",
    "sdiv r0, r1, r2": "divide",
    "udiv r0, r1, r2": "divide",
    "ldr r0, [r1]": "load",
    "ldr.w r0, [r1], #4": "load",
    "ldrsb r0, [r1, r2]": "load",
    "ldrb.w r8, [r9, #3]": "load",
    "ldrd r0, r1, [r2, #8]": "load_double",
    "ldmia r0!, {r1, r2, r3}": "load_multiple",
    "ldmia.w r0, {r1, r8, r9}": "load_multiple",
    "pop {r4, r5}": "load_multiple",
    "pop {r4, pc}": "load_return",
    "pop.w {r4, r8, pc}": "load_return",
    "strb r0, [r1]": "store",
    "str.w r0, [r1, #4]!": "store",
    "strh r0, [r1, r2]": "store",
    "strd r0, r1, [r2]": "store_double",
    "push {r4, lr}": "store_multiple",
    "stmia r0!, {r1, r2}": "store_multiple",
    "beq .": "branch_if",
    "bne.w .": "branch_if",
    "cbz r0, 1f\n nop\n nop\n1: nop": "branch_if",
    "b .": "branch",
    "b.w .": "branch",
    "bl .": "branch_link",
    "bx lr": "branch_register",
    "blx r3": "branch_register",
    "tbb [r0, r1]": "branch_table",
    "it eq\nmoveq r0, r1": "if_then",
    "vadd.f32 s0, s1, s2": "float",
    "vmla.f32 s0, s1, s2": "float_multiply_add",
    "vdiv.f32 s0, s1, s2": "float_divide",
    "vsqrt.f32 s0, s1": "float_divide",
    "vldr s0, [r0]": "float_load",
    "vstr s0, [r0]": "float_store",
    "vmov r0, s0": "float_move",
}


def test_kinds_are_those_of_the_assembler() -> None:
    lines = list(KINDS)
    body = "".join(
        f'__attribute__((naked, section(".text.f{n:03d}"))) void f{n:03d}(void) '
        f'{{ __asm__ volatile("{line.replace(chr(10), chr(92) + "n")}"); }}\n'
        for n, line in enumerate(lines)
    )
    compiler = target_compiler("zig")
    flags = target_flags(compiler, core("cortex-m4", None))
    (built,) = compile_objects(compiler, flags, {PurePosixPath("kinds.c"): body.encode()})
    elf = open_elf(built.read_bytes())
    for number, line in enumerate(lines):
        code = elf.get_section_by_name(f".text.f{number:03d}").data()
        first, second = (int.from_bytes(code[at : at + 2], "little") for at in (0, 2))
        wide = first >> 11 >= 0b11101
        assert kind_of(first, second if wide else 0)[0] == KINDS[line], line


def test_registers_of_multiple_accesses_are_counted() -> None:
    assert kind_of(0xB570, 0) == ("store_multiple", 4)  # push {r4, r5, r6, lr}
    assert kind_of(0xE8BD, 0x01F0) == ("load_multiple", 5)  # pop.w {r4-r8}


def test_branches_and_neighbouring_loads_cost_by_what_they_did() -> None:
    loop = [
        Executed(0, 0x6808, 0, 10, 10, 0),  # ldr, entered by a jump each time
        Executed(2, 0x6849, 0, 10, 0, 0),  # ldr behind it
        Executed(4, 0xD1FC, 0, 10, 0, 9),  # bne, taken nine times
    ]
    assert mix(loop) == {"branch_if": 1, "branch_if_taken": 9, "load": 10, "load_next": 10}
    cortex_m4 = timing("cortex-m4")
    assert cortex_m4.of(mix(loop)) == 10 * 2 + 10 * 1 + 1 * 1 + 9 * 3
    assert cortex_m4.of({"load_multiple": 2, "load_registers": 6}) == 2 + 6
    assert cortex_m4.of({"alu": 5}, misses=3, wait=5) == 20


@pytest.mark.parametrize("board", ["nucleo-f446re", "rpi-pico", "disco-f746ng", "b-u585i-iot02a"])
def test_every_executed_instruction_has_one_kind(board: str) -> None:
    graph = random_graph(3, True)
    found = model_cycles(compile_graph(graph, device(board)), random_samples(graph, 3, 0))
    beside = ("load_registers", "store_registers")
    assert sum(n for kind, n in found.mix.items() if kind not in beside) == found.instructions
    assert 0.5 < found.per_instruction < 2 * timing(device(board).core).typical
    assert found.sources


def test_cycles_follow_the_flash_in_front_of_the_core() -> None:
    graph = integer_graph(16)
    artifact = compile_graph(graph, BOARD)
    samples = random_samples(graph, 3, 0)
    waiting = model_cycles(artifact, samples)
    ideal = model_cycles(artifact, samples, board="another")
    assert waiting.flash_misses > 0
    assert ideal.flash_misses == 0
    assert waiting.modelled - ideal.modelled == 5 * waiting.flash_misses


def test_a_tracer_counts_what_the_counter_counts_and_starts_afresh() -> None:
    graph = integer_graph()
    model = UnicornModel(compile_graph(graph, BOARD))
    tracer = Tracer(model.emulator, model.image)
    for _ in range(2):
        tracer.restart()
        model.run(np.zeros((2, 6, 6, 3), np.int8))
        assert sum(one.times for one in tracer.executed()) == sum(model.instructions)


def test_every_timing_names_its_sources_and_real_boards() -> None:
    measured = {"default", "nucleo-l4r5zi", "nucleo-g0b1re"}  # boards of published figures
    for path in CORES.glob("*.toml"):
        times = timing(path.stem)
        assert times.sources
        assert times.cycles["alu"] > 0
        assert set(times.boards) <= {*measured, *device_ids()}
    assert not has_timing("avr")
    with pytest.raises(DeviceError, match="no cycle model"):
        timing("avr")


def test_a_certificate_tells_steps_and_modelled_cycles_with_their_sources() -> None:
    artifact = compile_graph(integer_graph(), BOARD)
    proved = verify(artifact, on=("host", "unicorn"), vectors=3)
    assert proved.steps is not None
    assert len(proved.steps) == 2
    assert proved.modelled is not None
    assert proved.modelled["latency"] == proved.modelled["cycles"] / BOARD.clock
    document = proved.certificate
    assert document["modelled"]["sources"]
    assert document["sources"]["modelled"].startswith("modelled")
    assert verify(artifact, on=("host",), vectors=3).modelled is None


def test_a_core_that_only_qemu_has_is_traced_there() -> None:
    if shutil.which(PROGRAM) is None:
        pytest.skip(f"left out: {PROGRAM} is not installed")
    graph = integer_graph(12)
    artifact = compile_graph(graph, device("corstone-300"))
    found = model_cycles(artifact, random_samples(graph, 3, 0))
    beside = ("load_registers", "store_registers")
    counted = sum(n for kind, n in found.mix.items() if kind not in beside)
    # SysTick is exact to some 30 instructions; the ports' copying is traced, too.
    assert found.instructions - 40 < counted < 1.2 * found.instructions + 2000
    assert found.mix["vector"] > 0
    assert found.mix["vector_load"] > 0
    assert found.modelled > found.instructions / 2
