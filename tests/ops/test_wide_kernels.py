"""Kernels on wide vectors: every bit as the operator means it, here and on an emulated Arm core."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from joined_nodes import differing, joined
from kernel_jobs import Job, check
from kernel_library import call
from kernel_machines import EmulatedA64, SanitizedHost
from random_nodes import Node, jobs_of, kernels_of, random_node

from netsuke.codegen import compile_graph
from netsuke.devices import device
from netsuke.devices.host import host_isa
from netsuke.errors import UsageError
from netsuke.ir import Kernel, Quant, Tensor, constant
from netsuke.ops import Conv2d, Dense
from netsuke.ops.wide import AVX2, AVX512VNNI, block_order, blocks, channel_order, scale_table
from netsuke.verify import host
from netsuke.verify.a64 import A64Model
from netsuke.verify.host import HostLibrary

KINDS = ("conv2d", "depthwise_conv2d", "dense", "add", "max_pool2d", "average_pool2d")
FAMILIES = ("avx2", "avx512vnni", "amx", "neon", "dotprod")
NEEDED = {"avx2": {"avx2"}, "avx512vnni": {"avx512vnni"}, "amx": {"amx", "avx512vnni"}}


def _isa(family: str) -> frozenset[str]:
    return frozenset(NEEDED.get(family, {family}))


def _wide(node: Node, family: str) -> list[Kernel]:
    found = kernels_of(node, _isa(family))
    return [kernel for kernel in found if kernel.function.endswith(f"_{family}")]


def _check(node: Node, kernel: Kernel) -> None:
    constants = [tensor.is_constant for tensor in node.inputs]
    kinds = [(tensor.shape, tensor.dtype) for tensor in node.outputs]
    for inplace in (None, *kernel.inplace):
        results = call(kernel, list(node.arrays), constants, kinds, inplace)
        for result, meaning in zip(results, node.meaning, strict=True):
            np.testing.assert_array_equal(result, meaning, f"{kernel.function} {inplace} {node}")


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kind", KINDS)
def test_random_nodes_are_exact_on_this_machine(kind: str, family: str) -> None:
    """On another architecture the same files are plain C, and that is what is checked then."""
    if host_isa() & {"avx2"} and not _isa(family) - {"neon", "dotprod"} <= host_isa():
        pytest.skip(f"left out: this processor has no {family}")
    ran: Counter[str] = Counter()
    for seed in range(30):
        node = random_node(kind, seed)
        for kernel in _wide(node, family):
            _check(node, kernel)
            ran[kernel.function] += 1
    if kind == "conv2d" or (kind != "dense" and family in ("avx2", "avx512vnni", "neon")):
        assert min(ran.values()) >= 6


def _jobs(isa: frozenset[str], count: int, pointer: int) -> list[Job]:
    """Calls of the kernels on vectors for random nodes of every kind."""
    return [
        job
        for kind in KINDS
        for seed in range(count)
        for job in jobs_of(
            random_node(kind, seed),
            isa,
            pointer,
            f"{kind} {seed}",
            lambda function: function.endswith(FAMILIES),
        )
    ]


def test_random_nodes_are_exact_on_an_emulated_arm_core() -> None:
    board = device("rpi-5")
    machine = EmulatedA64(board.core, board.isa)
    jobs = _jobs(board.isa, 25, machine.pointer)
    assert {job.function for job in jobs} >= {"nsk_conv2d_s8_neon", "nsk_conv2d_s8_dotprod"}
    check(jobs, machine.run(jobs))


@pytest.mark.parametrize("board", ["rpi-4b", "rpi-5"])
def test_whole_artifacts_are_exact_on_an_emulated_arm_core(board: str) -> None:
    nodes = [random_node(kind, seed) for kind in ("dense", "add") for seed in range(4)]
    graph, feeds = joined(nodes)
    artifact = compile_graph(graph, device(board))
    model = A64Model(artifact)
    assert differing(model, nodes, feeds) == []
    assert model.instructions[0] > 1000 and 0 < model.stack < 4096


def test_kernels_on_vectors_mean_the_same_as_plain_c() -> None:
    isa = frozenset({"avx2", "avx512vnni", "amx"})
    machine = SanitizedHost("-DNSK_PLAIN")
    jobs = _jobs(isa, 12, machine.pointer)
    assert len({job.function for job in jobs}) >= 12
    check(jobs, machine.run(jobs))


def test_a_board_with_instructions_that_this_machine_lacks_is_verified_as_plain_c(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(host, "host_isa", frozenset)
    node = random_node("add", 1)
    graph, feeds = joined([node])
    library = HostLibrary(compile_graph(graph, device("linux-x86-64-amx")))
    assert "-DNSK_PLAIN" in library.flags
    (output,) = library.run(*(feed[None] for feed in feeds))
    np.testing.assert_array_equal(output[0], node.meaning[0])


def test_blocks_hold_every_channel_once() -> None:
    for lanes in (4, 8, 16):
        for channels in range(1, 5 * lanes):
            order = channel_order(channels, lanes).ravel()
            assert sorted(order[order < channels]) == list(range(channels))
            assert sum(count for _, count in blocks(channels, lanes)) * lanes == order.size
    assert block_order(2, 8).tolist()[1][:5] == [4, 5, 6, 7, 12]


def _extreme(weights: np.ndarray, scale: float) -> tuple[list[Tensor], Tensor]:
    x = Tensor("x", (1, 5, 32), "int8", Quant((1.0,), (-128,)))
    quant = Quant((1.0,) * len(weights), (0,) * len(weights), 0)
    bias = constant("b", np.zeros(len(weights), np.int32))
    return [x, constant("w", weights, quant), bias], Tensor(
        "y", (1, 5, len(weights)), "int8", Quant((scale,), (3,))
    )


def test_the_smallest_weight_is_left_to_kernels_that_cannot_saturate() -> None:
    weights = np.full((16, 32), -128, np.int8)
    inputs, output = _extreme(weights, 4000.0)
    isa = frozenset({"neon", "dotprod"})
    functions = {k.function for k in Dense().kernels(inputs, [output], isa)}
    assert "nsk_dense_s8_dotprod" in functions and "nsk_dense_s8_neon" not in functions


def test_factors_beyond_the_arithmetic_are_left_to_other_kernels() -> None:
    weights = np.full((16, 32), 127, np.int8)
    for scale, exact in ((1e3, True), (1e-5, False), (1e9, True)):
        inputs, output = _extreme(weights, scale)
        found = Dense().kernels(inputs, [output], frozenset({"avx512vnni"}))
        assert any(k.function.endswith("vnni") for k in found) == exact, scale


def test_scales_of_one_channel_give_back_their_rounding() -> None:
    """(sum * m + add) >> right equals both roundings one after the other, at ties too."""
    values = np.array([[1 << 30], [5], [-3]], np.int64)
    table = scale_table(values, 7, AVX512VNNI).view(np.int64)
    multiplier, add, right = table[0], table[16], table[32]
    for total in (-2000, -21, -13, -5, 3, 11, 1000):
        doubled = ((total + 5) * (1 << 30) + (1 << 30)) >> 31
        assert (total * multiplier + add) >> right == ((doubled + 4) >> 3) + 7
    assert scale_table(values, 7, AVX2).size == 7 * 8


def test_convolutions_that_no_vector_kernel_takes_have_a_portable_one() -> None:
    x = Tensor("x", (4, 4, 4), "int8", Quant((1.0,), (0,)))
    quant = Quant((1.0,) * 4, (0,) * 4, 0)
    weights = constant("w", np.ones((4, 1, 1, 2), np.int8), quant)
    bias = constant("b", np.zeros(4, np.int32))
    output = Tensor("y", (4, 4, 4), "int8", Quant((2.0,), (0,)))
    found = Conv2d(groups=2).kernels([x, weights, bias], [output], frozenset({"avx2"}))
    assert found and not any(kernel.function.endswith("avx2") for kernel in found)


def test_aarch64_is_compiled_by_zig_only() -> None:
    node = random_node("add", 0)
    artifact = compile_graph(joined([node])[0], device("rpi-4b"))
    with pytest.raises(UsageError, match="compiled by zig"):
        A64Model(artifact, compiler="arm-none-eabi-gcc")
