"""Kernels that skip zeros: the same integers as the meaning, and chosen only where they pay."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_jobs import check
from kernel_machines import EmulatedCore
from node_check import check_node
from random_nodes import jobs_of, make_node
from test_dsp_kernels import conv_tensors, geometries

from netsuke.devices import device
from netsuke.ir import Array, GraphBuilder, Quant, Tensor, constant
from netsuke.ops.conv2d import Conv2d
from netsuke.ops.dense import Dense
from netsuke.ops.sparse import pack_lists
from netsuke.schedule import plan

DSP = frozenset({"thumb2", "dsp"})
OUTPUT = Quant((0.03,), (-20,))


def thinned(inputs: list[Tensor], kept: float, seed: int = 0) -> list[Tensor]:
    """The same tensors with so small a share of weights that are not 0."""
    x, w, b = inputs
    assert w.data is not None
    rng = np.random.default_rng(seed)
    return [x, constant("w", np.where(rng.random(w.shape) < kept, w.data, 0), w.quant), b]


def unpacked(words: Array, units: int, offsets: Array, bits: int) -> Array:
    """Weights by unit and distance that lists hold, read entry by entry."""
    rows, at = np.zeros((units, int(offsets.max(initial=0)) + 1), np.int64), 0
    for unit in range(units):
        groups, at = int(np.uint32(words[at + 2])) >> 8, at + 3
        place = 0
        for _ in range(groups):
            word = int(np.uint32(words[at]))
            if bits == 8:
                gaps = [word >> 8 * i & 255 for i in range(4)]
            else:
                gaps = [word >> 8 * i + half & 15 for half in (0, 4) for i in range(4)]
            weights = words[at + 1 : at + 1 + len(gaps) // 4].view(np.int8)
            for gap, weight in zip(gaps, weights, strict=True):
                place += gap
                rows[unit, place] += int(weight)
            at += 1 + len(gaps) // 4
    assert at == len(words)
    return rows[:, offsets]


@settings(max_examples=200, deadline=None)
@given(
    units=st.integers(1, 5),
    steps=st.lists(st.sampled_from([1, 2, 14, 15, 16, 30, 31, 254, 255, 256, 700]), max_size=40),
    bits=st.sampled_from([8, 4]),
    kept=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    seed=st.integers(0, 1000),
)
def test_lists_hold_every_weight_at_its_place(
    units: int, steps: list[int], bits: int, kept: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    offsets = np.cumsum([0, *steps])
    rows = rng.integers(-128, 128, (units, len(offsets)))
    rows = np.where(rng.random(rows.shape) < kept, rows, 0).astype(np.int8)
    bias, multiplier = rng.integers(-(1 << 31), 1 << 31, (2, units))
    lists = pack_lists(rows, bias, multiplier, rng.integers(-31, 31, units), offsets, bits)
    assert lists is not None
    np.testing.assert_array_equal(unpacked(lists.words, units, offsets, bits), rows)


@settings(max_examples=120, deadline=None)
@given(
    rows=st.integers(1, 6),
    units=st.integers(1, 9),
    depth=st.integers(24, 600),
    kept=st.sampled_from([0.0, 0.02, 0.1, 0.25]),
    zero=st.integers(-128, 127),
    high=st.sampled_from([math.inf, 1.5]),
    isa=st.sampled_from([DSP, frozenset()]),
)
def test_the_dense_layer_equals_its_meaning(
    rows: int, units: int, depth: int, kept: float, zero: int, high: float, isa: frozenset[str]
) -> None:
    rng = np.random.default_rng(units + 10 * depth)
    inputs = thinned(conv_tensors(rng, (rows, depth), (units, depth), zero), kept, depth)
    kernels = check_node(Dense(high=high), inputs, [Quant((0.03,), (zero // 2,))], isa=isa)
    functions = {kernel.function for kernel in kernels}
    wanted = "nsk_dense_s8_sparse8" if rows < 4 else "nsk_conv2d_s8_sparse"
    assert wanted in functions
    assert (wanted.replace("s8_", "s8_dsp_") in functions) == bool(isa)


@settings(max_examples=150, deadline=None)
@given(geometries(), st.sampled_from([0.0, 0.1, 0.3]), st.sampled_from([DSP, frozenset()]))
def test_the_convolution_equals_its_meaning_for_any_geometry(
    g: dict[str, Any], kept: float, isa: frozenset[str]
) -> None:
    rng = np.random.default_rng(g["seed"])
    shape = (g["channels"], *g["kernel"], g["image"][2])
    inputs = thinned(conv_tensors(rng, g["image"], shape, g["zero"]), kept, g["seed"])
    op = Conv2d(**g["op"], low=g["low"], high=g["high"])
    check_node(op, inputs, [Quant((0.03,), (g["zero"] // 2,))], isa=isa, seed=g["seed"])


CASES: dict[str, tuple[Any, ...]] = {
    "dense, one weight of twelve": (Dense(), (784,), (40, 784), 1 / 12),
    "dense, one of four": (Dense(high=1.0), (300,), (33, 300), 0.25),
    "dense, two rows": (Dense(), (2, 120), (9, 120), 0.1),
    "dense, seven rows": (Dense(), (7, 120), (9, 120), 0.1),
    "dense without weights": (Dense(), (64,), (5, 64), 0.0),
    "convolution": (Conv2d(), (12, 12, 20), (50, 5, 5, 20), 0.12),
    "padded": (Conv2d(padding=((1, 1), (2, 0)), low=0.0), (9, 7, 16), (6, 3, 3, 16), 0.1),
    "strides": (Conv2d((2, 3), dilation=(2, 1)), (13, 14, 9), (5, 3, 2, 9), 0.2),
    "three pixels": (Conv2d(), (3, 1, 80), (7, 1, 1, 80), 0.1),
}


@pytest.mark.parametrize("case", CASES)
def test_the_assembler_equals_the_meaning_on_a_cortex_m4_and_costs_what_is_modelled(
    case: str,
) -> None:
    op, image, kernel, kept = CASES[case]
    rng = np.random.default_rng(3)
    node = make_node(op, thinned(conv_tensors(rng, image, kernel, 7), kept), OUTPUT, rng)
    jobs = jobs_of(node, DSP, 4, case, lambda name: "sparse" in name)
    core = EmulatedCore("cortex-m4", DSP)
    check(jobs, core.run(jobs))
    found = {
        job.function: (job.instructions, count)
        for job, count in zip(jobs, core.instructions, strict=True)
    }
    assert any("dsp_sparse" in function for function in found)
    for function, (model, count) in found.items():
        assert model == pytest.approx(count, rel=0.1, abs=50), f"{function}: {model} for {count}"


def planned(kept: float, core: str, flash: int | None = None, depth: int = 784) -> str:
    """The kernel that the plan of one dense layer takes."""
    builder = GraphBuilder("one")
    rng = np.random.default_rng(5)
    x, w, b = thinned(conv_tensors(rng, (depth,), (40, depth), 3), kept)
    assert w.data is not None and b.data is not None
    names = [
        builder.input("x", x.shape, x.dtype, x.quant),
        builder.constant("w", w.data, w.quant),
        builder.constant("b", b.data),
    ]
    graph = builder.build([builder.one(Dense(), *names, quant=OUTPUT, name="y")])
    (step,) = plan(graph, device(core), flash=flash).steps
    assert step.kernel is not None
    return step.kernel.function


def test_lists_are_chosen_where_they_pay_and_nowhere_else() -> None:
    assert planned(0.08, "nucleo-f446re") == "nsk_dense_s8_dsp_sparse8"
    for kept in (1.0, 0.6, 0.4):
        assert "sparse" not in planned(kept, "nucleo-f446re")
    # One weight of four in nibbles takes as many instructions as all of them, and half the bytes.
    dense = 40 * 784
    assert "sparse" not in planned(0.4, "nucleo-f446re", flash=dense + 3000)
    assert planned(0.4, "nucleo-f446re", flash=int(0.65 * dense) + 2500).endswith("dsp_sparse4")
    # A core with vectors takes all of them faster, unless flash is short.
    assert "mve" in planned(0.08, "corstone-300")
    assert "sparse" in planned(0.08, "corstone-300", flash=12000)


def test_weights_with_a_zero_point_have_no_lists() -> None:
    rng = np.random.default_rng(0)
    x, w, b = thinned(conv_tensors(rng, (64,), (5, 64), 3), 0.1)
    assert w.data is not None
    w = replace(w, quant=Quant((0.01,), (4,)))
    kernels = check_node(Dense(), [x, w, b], [OUTPUT], isa=DSP)
    assert not any("sparse" in kernel.function for kernel in kernels)
