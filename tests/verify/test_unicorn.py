"""Artifacts on emulated Cortex-M cores: exact outputs, exact counts, no stray access."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import unicorn
from verified_models import artifact_of, float_graph, integer_graph, samples, with_invoke

from netsuke.errors import UsageError, VerificationError
from netsuke.ir import Graph, interpret_batch
from netsuke.verify.cores import core
from netsuke.verify.counter import instructions
from netsuke.verify.host import HostLibrary
from netsuke.verify.unicorn import UnicornModel

CORES = ["cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33"]


@pytest.mark.parametrize("name", CORES)
def test_every_core_equals_numpy_in_every_bit(name: str) -> None:
    graph = integer_graph()
    arrays = samples(graph, 10)
    model = UnicornModel(artifact_of(graph), core(name))
    np.testing.assert_array_equal(model.run(*arrays)[0], interpret_batch(graph, *arrays)[0])
    assert len(model.instructions) == 10
    assert min(model.instructions) > 20_000
    assert 16 <= model.stack < 2048
    assert model.image.heap == ()


@pytest.mark.parametrize("name", ["cortex-m0plus", "cortex-m4", "cortex-m33"])
def test_floats_are_the_same_bits_as_on_the_host(name: str) -> None:
    graph = float_graph()
    arrays = samples(graph, 10)
    artifact = artifact_of(graph)
    (got,) = UnicornModel(artifact, core(name)).run(*arrays)
    (host,) = HostLibrary(artifact).run(*arrays)
    np.testing.assert_array_equal(got.view(np.uint32), host.view(np.uint32))


def single_steps(model: UnicornModel, *arrays: np.ndarray) -> int:
    """Count one instruction at a time, with what a failed condition in an IT block skips."""
    counted = 0
    block = 0  # instructions left in the IT block
    expected = -1
    uc: Any = model._emulator

    def step(emulator: Any, address: int, size: int, _: Any) -> None:
        nonlocal counted, block, expected
        if block and address != expected:
            skipped = instructions(bytes(emulator.mem_read(expected, address - expected)))
            assert skipped <= block
            counted += skipped
            block -= skipped
        counted += 1
        block = max(0, block - 1)
        half = int.from_bytes(emulator.mem_read(address, 2), "little")
        if half & 0xFF00 == 0xBF00 and half & 0xF:
            block = 4 - ((half & 0xF & -(half & 0xF)).bit_length() - 1)
        expected = address + size

    hook = uc.hook_add(unicorn.UC_HOOK_CODE, step)
    model.run(*arrays)
    uc.hook_del(hook)
    return counted


@pytest.mark.parametrize("name", ["cortex-m0plus", "cortex-m4"])
@pytest.mark.parametrize("graph", [integer_graph(3), float_graph()])
def test_counting_blocks_equals_counting_single_instructions(name: str, graph: Graph) -> None:
    arrays, artifact = samples(graph, 1), artifact_of(graph)
    blocks, steps = (UnicornModel(artifact, core(name)) for _ in range(2))
    blocks.run(*arrays)
    # The hook must be there before the emulator first translates the code.
    assert single_steps(steps, *arrays) == blocks.instructions[0]


def test_counting_in_python_equals_counting_in_c() -> None:
    graph = integer_graph(3)
    arrays = samples(graph, 2)
    compiled = UnicornModel(artifact_of(graph))
    plain = UnicornModel(artifact_of(graph), compiled_hook=False)
    np.testing.assert_array_equal(compiled.run(*arrays)[0], plain.run(*arrays)[0])
    assert compiled._counter.compiled
    assert not plain._counter.compiled
    assert plain.instructions == compiled.instructions


def test_the_count_is_that_of_a_hand_counted_program() -> None:
    loop = '    __asm volatile("movs r0, #10\\n1: subs r0, #1\\nbne 1b" ::: "r0", "cc");'
    graph = integer_graph(3)
    plain, longer = artifact_of(graph), with_invoke(artifact_of(graph), loop)
    counts = []
    for artifact in (plain, longer):
        model = UnicornModel(artifact, core("cortex-m0plus"))
        model.run(*samples(graph, 1))
        counts.append(model.instructions[0])
    assert counts[1] - counts[0] == 1 + 2 * 10


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (
            "((volatile uint8_t *)model_arena)[sizeof model_arena + 15] = 1;",
            "writes 1 B at .*arena",
        ),
        ("(void)((volatile uint8_t *)model_arena)[-4096];", "reads 1 B at .*model_arena is"),
        ("*(volatile uint8_t *)model_input = 1;", "writes read-only memory"),
        ("((void (*)(void))0x30000001)();", "jumps to"),
        ('__asm volatile("udf #0");', "exception|Invalid instruction"),
        ('char big[70000]; __asm volatile("str r0, [%0]" ::"r"(big));', "writes 4 B .*own"),
        ('for (;;) { __asm volatile(""); }', "did not end within 1,000,000 instructions"),
    ],
)
def test_a_misstep_is_an_error_that_names_it(statements: str, words: str) -> None:
    bad = with_invoke(artifact_of(integer_graph()), f"    {statements}")
    model = UnicornModel(bad, limit=1_000_000)
    with pytest.raises(VerificationError, match=words):
        model.run(*samples(integer_graph(), 1))


def test_a_byte_beside_the_arena_is_a_broken_canary() -> None:
    bad = with_invoke(
        artifact_of(integer_graph()), "    ((volatile uint8_t *)model_arena)[-1] = 1;"
    )
    with pytest.raises(VerificationError, match="canary before model_arena"):
        UnicornModel(bad).run(*samples(integer_graph(), 1))


UNALIGNED = {
    "word": "(void)*(volatile uint32_t *)(model_arena + 1);",
    "pair": '__asm volatile("ldrd r0, r1, [%0]" ::"r"(model_arena + 1) : "r0", "r1");',
    "many": '__asm volatile("ldm %0, {r0, r1}" ::"r"(model_arena + 2) : "r0", "r1");',
    "float": '__asm volatile("vldr s0, [%0]" ::"r"(model_arena + 1) : "s0");',
}


@pytest.mark.parametrize(
    ("name", "kind", "faults"),
    [
        ("cortex-m0plus", "word", True),
        ("cortex-m4", "word", False),
        ("cortex-m4", "pair", True),
        ("cortex-m4", "many", True),
        ("cortex-m33", "float", True),
    ],
)
def test_an_address_that_hardware_refuses_is_an_error(name: str, kind: str, faults: bool) -> None:
    # As bytes in assembly, or the compiler would not emit it for ARMv6-M.
    code = UNALIGNED[kind]
    if name == "cortex-m0plus":
        code = '__asm volatile("ldr r0, [%0]" ::"r"(model_arena + 1) : "r0");'
    model = UnicornModel(with_invoke(artifact_of(integer_graph()), code), core(name))
    if faults:
        with pytest.raises(VerificationError, match=r"model_invoke at .*aligned"):
            model.run(*samples(integer_graph(), 2))
    else:
        model.run(*samples(integer_graph(), 2))


def test_painting_finds_the_stack_that_is_used() -> None:
    plain = UnicornModel(artifact_of(integer_graph()))
    deep = UnicornModel(
        with_invoke(
            artifact_of(integer_graph()),
            "    deep();",
            "__attribute__((noinline)) static void deep(void)\n"
            '{ char big[5000]; big[0] = 1; __asm volatile("" ::"r"(big) : "memory"); }',
        )
    )
    for model in (plain, deep):
        model.run(*samples(integer_graph(), 1))
    assert plain.stack < 1000
    assert 5000 <= deep.stack < 5000 + 100


def test_a_heap_function_in_the_image_is_seen() -> None:
    artifact = with_invoke(
        artifact_of(integer_graph()),
        "    sink = malloc(1);",
        "__attribute__((noinline)) void *malloc(unsigned n)\n"
        '{ __asm volatile("" ::"r"(n)); return model_arena; }\n'
        "void *volatile sink;",
    )
    assert UnicornModel(artifact).image.heap == ("malloc",)


def test_a_core_without_an_emulator_says_where_to_go() -> None:
    with pytest.raises(UsageError, match="qemu"):
        UnicornModel(artifact_of(integer_graph()), core("cortex-m55"))
    with pytest.raises(UsageError, match="--on host"):
        core("xtensa-lx7")


def test_sizes_are_those_of_the_symbols() -> None:
    artifact = artifact_of(integer_graph())
    image = UnicornModel(artifact).image
    assert image.sizes.weights == artifact.weights
    assert image.sizes.data == image.sizes.bss == 0
    assert [arena.size for arena in image.arenas] == [artifact.plan.arena]
    assert 500 < image.sizes.code < 8000
