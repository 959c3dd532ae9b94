"""Kernels for MVE and for cores without SIMD: their C on this machine, and on emulated cores."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from kernel_jobs import check
from kernel_machines import EmulatedCore, EmulatedRv32, SanitizedHost
from random_nodes import jobs_of, random_node
from spatial_cases import activation, weighted

from netsuke.codegen import compile_graph
from netsuke.devices import device
from netsuke.ir import Graph, GraphBuilder, Op, Quant, Tensor, constant, interpret_batch
from netsuke.ops import Add, Conv2d, Dense, DepthwiseConv2d
from netsuke.verify.cores import core
from netsuke.verify.toolchain import sanitizing_compiler

MVE = frozenset({"thumb2", "dsp", "mve", "fpu-dp"})
THUMB = frozenset({"thumb"})
RV32 = frozenset({"rv32imac"})
SAME = ((1, 1), (1, 1))


def node_graph(op: Op, inputs: list[Tensor], quant: Quant | None) -> Graph:
    builder = GraphBuilder("one")
    names = [
        builder.constant(t.name, t.data, t.quant)
        if t.data is not None
        else builder.input(t.name, t.shape, t.dtype, t.quant)
        for t in inputs
    ]
    return builder.build([builder.one(op, *names, quant=quant)])


def convolution(op: Op, image: tuple[int, ...], weights: tuple[int, ...], count: int) -> Graph:
    rng = np.random.default_rng(5)
    inputs, quant = weighted(op, activation(image, rng), weights, count, rng)
    assert quant is not None
    return node_graph(op, inputs, replace(quant, scale=(quant.scale[0] / 3,)))


@pytest.mark.parametrize("isa", [MVE, THUMB], ids=["mve", "thumb"])
@pytest.mark.parametrize(
    "kind", ["conv2d", "depthwise_conv2d", "dense", "add", "average_pool2d", "max_pool2d"]
)
def test_the_plain_c_beside_the_assembler_gives_the_meaning(kind: str, isa: frozenset[str]) -> None:
    if sanitizing_compiler() is None:
        pytest.skip("left out: no compiler with sanitizers")
    runner = SanitizedHost()
    wanted = ("_mve",) if isa == MVE else ("_pairs", "_fours", "_table")
    jobs = [
        job
        for seed in range(40)
        for job in jobs_of(random_node(kind, seed), isa, runner.pointer, f"seed {seed}")
        if any(word in job.function for word in wanted)
    ]
    check(jobs, runner.run(jobs))
    assert len(jobs) > 10 or (isa == THUMB and "pool" in kind)


@pytest.mark.parametrize("kind", ["conv2d", "depthwise_conv2d", "dense", "add"])
def test_kernels_of_random_shapes_give_the_meaning_on_risc_v(kind: str) -> None:
    pytest.importorskip("unicorn", reason="left out: the emulator")
    runner = EmulatedRv32("rv32", RV32)
    jobs = [
        job
        for seed in range(200, 225)
        for job in jobs_of(random_node(kind, seed), RV32, runner.pointer, f"seed {seed}")
    ]
    check(jobs, runner.run(jobs))
    assert len({job.function for job in jobs}) >= 2


@pytest.mark.parametrize("compiler", ["zig", "arm-none-eabi-gcc"])
@pytest.mark.parametrize("kind", ["conv2d", "depthwise_conv2d", "dense"])
def test_two_pixels_in_a_word_give_the_meaning_on_armv7_m(kind: str, compiler: str) -> None:
    from netsuke.verify.toolchain import find_compiler

    if find_compiler(compiler) is None:
        pytest.skip(f"left out: no {compiler}")
    isa = frozenset({"thumb2"})
    runner = EmulatedCore("cortex-m3", isa, compiler)
    jobs = [
        job
        for seed in range(100, 120)
        for job in jobs_of(random_node(kind, seed), isa, runner.pointer, f"seed {seed}")
        if "_pairs" in job.function or "_fours" in job.function
    ]
    check(jobs, runner.run(jobs))
    assert len(jobs) > 8


BOUNDS = [
    (Conv2d(), (8, 8, 32), (32, 1, 1, 32), 32, (3.4, 2.6)),
    (Conv2d(padding=SAME), (8, 8, 16), (16, 3, 3, 16), 16, (3.4, 2.6)),
    (DepthwiseConv2d(padding=SAME), (24, 24, 8), (3, 3, 8), 8, (10.0, 9.0)),
    (Dense(), (1, 96), (40, 96), 40, (4.4, 3.7)),
]


@pytest.mark.parametrize(("op", "image", "weights", "count", "bounds"), BOUNDS)
def test_work_on_cores_without_simd_is_bounded(
    op: Op, image: tuple[int, ...], weights: tuple[int, ...], count: int, bounds: tuple[float, ...]
) -> None:
    from netsuke.verify.unicorn import UnicornModel

    graph = convolution(op, image, weights, count)
    x = np.random.default_rng(8).integers(-128, 128, (1, *image)).astype(np.int8)
    (expected,) = interpret_batch(graph, x)
    pico = device("rpi-pico")
    boards = (pico, replace(pico, core="cortex-m3", isa=frozenset({"thumb2"})))
    for board, bound in zip(boards, bounds, strict=True):
        artifact = compile_graph(graph, board, ram=1 << 16)
        kernel = next(step.kernel for step in artifact.plan.steps if step.kernel)
        model = UnicornModel(artifact)
        (actual,) = model.run(x)
        np.testing.assert_array_equal(actual, expected)
        assert model.instructions[0] < bound * graph.macs, board.core
        assert 0.8 < kernel.instructions / model.instructions[0] < 1.25, kernel.function


@pytest.mark.parametrize(("op", "image", "weights", "count", "_bounds"), BOUNDS)
def test_mve_kernels_are_chosen_and_modelled(
    op: Op, image: tuple[int, ...], weights: tuple[int, ...], count: int, _bounds: Any
) -> None:
    import shutil

    from netsuke.verify.qemu import PROGRAM, QemuModel

    if shutil.which(PROGRAM) is None:
        pytest.skip(f"left out: no {PROGRAM}")
    graph = convolution(op, image, weights, count)
    artifact = compile_graph(graph, device("corstone-300"), ram=1 << 16)
    kernel = next(step.kernel for step in artifact.plan.steps if step.kernel)
    assert "_mve" in kernel.function
    model = QemuModel(artifact)
    x = np.random.default_rng(9).integers(-128, 128, (2, *image)).astype(np.int8)
    (actual,) = model.run(x)
    (expected,) = interpret_batch(graph, x)
    np.testing.assert_array_equal(actual, expected)
    assert 0.88 < kernel.instructions / model.instructions[1] < 1.12
    assert model.instructions[1] < 0.95 * graph.macs


def test_risc_v_gives_the_meaning() -> None:
    pytest.importorskip("unicorn", reason="left out: the emulator")
    from netsuke.verify.rv32 import Rv32Model

    board = device("esp32-p4")
    for op, image, weights, count, _ in BOUNDS:
        graph = convolution(op, image, weights, count)
        artifact = compile_graph(graph, board, ram=1 << 16)
        model = Rv32Model(artifact)
        x = np.random.default_rng(8).integers(-128, 128, (2, *image)).astype(np.int8)
        (actual,) = model.run(x)
        np.testing.assert_array_equal(actual, interpret_batch(graph, x)[0])
        assert 0 < (model.stack or 0) < 2000
        assert model.instructions[0] < 15 * graph.macs


def test_weights_whose_pairs_could_spill_into_the_upper_pixel_are_refused() -> None:
    quant = Quant((0.01,), (0,))
    x = Tensor("x", (4, 4, 4), "int8", Quant((0.05,), (3,)))
    bias = constant("b", np.zeros(1, np.int32))
    for worst, offered in ((-127, True), (-128, False)):
        data = np.full((1, 1, 1, 4), worst, np.int8)
        inputs = [x, constant("w", data, quant), bias]
        outputs = (Tensor("y", (4, 4, 1), "int8", Quant((0.2,), (0,))),)
        names = {kernel.function for kernel in Conv2d().kernels(inputs, outputs, THUMB)}
        assert ("nsk_conv2d_s8_pairs_flat" in names) == offered


def test_tables_add_exactly_or_are_not_offered() -> None:
    rng = np.random.default_rng(3)
    offered = 0
    for _ in range(30):
        scales = rng.choice([0.5, 0.25, 0.1, 0.037, 0.011], 3)
        zeros = rng.integers(-128, 128, 3)
        a, b, y = (Quant((float(s),), (int(z),)) for s, z in zip(scales, zeros, strict=True))
        inputs = [Tensor("a", (256, 256), "int8", a), Tensor("b", (256, 256), "int8", b)]
        outputs = (Tensor("y", (256, 256), "int8", y),)
        kernels = Add().kernels(inputs, outputs, THUMB)
        assert kernels[-1].function == "nsk_add_s8"
        if kernels[0].function != "nsk_add_s8_table":
            continue
        offered += 1
        p: dict[str, Any] = dict(kernels[0].parameters)
        values = np.arange(-128, 128)
        grid = np.broadcast_arrays(values[:, None], values[None, :])
        sums = p["a"].astype(np.int64)[:, None] + p["b"].astype(np.int64)[None, :]
        assert np.abs(sums).max() < 1 << 31
        (wanted,) = Add().quantized(inputs, outputs, *(part.astype(np.int8) for part in grid))
        np.testing.assert_array_equal(np.clip(sums >> p["shift"], p["low"], p["high"]), wanted)
    assert offered > 15


def test_a_core_with_vectors_says_so_to_both_compilers() -> None:
    from netsuke.verify.cores import gcc_flags, zig_flags

    with_vectors = core("cortex-m55", MVE)
    without = core("cortex-m55", frozenset({"thumb2", "dsp", "fpu-dp"}))
    assert any("+mve" in flag for flag in zig_flags(with_vectors))
    assert not any("mve" in flag for flag in zig_flags(without))
    assert "-mcpu=cortex-m55+nomve" in gcc_flags(without)
