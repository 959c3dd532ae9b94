"""Convolutions and poolings in C equal NumPy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from node_check import check_node
from spatial_cases import (
    activation,
    conv2d,
    depthwise,
    geometries,
    random_quant,
    transposed,
    transposed_geometries,
    weighted,
)

from netsuke.errors import GraphError, QuantizationError
from netsuke.ir import Quant, Tensor, constant
from netsuke.ops import AveragePool2d, Dense, DepthwiseConv2d, MaxPool2d, TransposedConv2d

SEEDS = st.integers(0, 2**31)
INTEGERS = st.booleans()
FEW = settings(max_examples=40, deadline=None)


def clamps(rng: np.random.Generator) -> dict[str, float]:
    return [{}, {"low": 0.0}, {"low": 0.0, "high": 6.0}][int(rng.integers(3))]


def image(size: tuple[int, int], channels: int, seed: int, integers: bool) -> Tensor:
    return activation((*size, channels), np.random.default_rng(seed) if integers else None)


@FEW
@given(
    geometries(), st.integers(1, 3), st.integers(1, 6), st.integers(1, 5), SEEDS, INTEGERS, INTEGERS
)
def test_conv2d_equals_numpy(
    case: dict[str, Any],
    groups: int,
    depth: int,
    units: int,
    seed: int,
    integers: bool,
    symmetric: bool,
) -> None:
    rng = np.random.default_rng(seed)
    op = conv2d(case, groups, **clamps(rng))
    x = image(case["size"], groups * depth, seed, integers)
    shape = (groups * units, *case["kernel"], depth)
    inputs, quant = weighted(op, x, shape, groups * units, rng, symmetric)
    check_node(op, inputs, [quant], seed=seed, tolerance=1e-4)


@FEW
@given(geometries(), st.integers(1, 9), st.integers(1, 3), SEEDS, INTEGERS, INTEGERS)
def test_depthwise_conv2d_equals_numpy(
    case: dict[str, Any], channels: int, multiple: int, seed: int, integers: bool, symmetric: bool
) -> None:
    rng = np.random.default_rng(seed)
    op = depthwise(case, **clamps(rng))
    x = image(case["size"], channels, seed, integers)
    shape = (*case["kernel"], channels * multiple)
    inputs, quant = weighted(op, x, shape, channels * multiple, rng, symmetric)
    check_node(op, inputs, [quant], seed=seed, tolerance=1e-4)


@FEW
@given(
    transposed_geometries(),
    st.integers(1, 3),
    st.integers(1, 4),
    st.integers(1, 4),
    SEEDS,
    INTEGERS,
    INTEGERS,
)
def test_transposed_conv2d_equals_numpy(
    case: dict[str, Any],
    groups: int,
    depth: int,
    units: int,
    seed: int,
    integers: bool,
    symmetric: bool,
) -> None:
    rng = np.random.default_rng(seed)
    op = transposed(case, groups, **clamps(rng))
    x = image(case["size"], groups * depth, seed, integers)
    shape = (groups * units, *case["kernel"], depth)
    inputs, quant = weighted(op, x, shape, groups * units, rng, symmetric)
    check_node(op, inputs, [quant], seed=seed, tolerance=1e-4)


@FEW
@given(
    st.lists(st.integers(1, 4), max_size=2),
    st.integers(1, 40),
    st.integers(1, 9),
    SEEDS,
    INTEGERS,
    INTEGERS,
)
def test_dense_equals_numpy(
    rows: list[int], depth: int, units: int, seed: int, integers: bool, symmetric: bool
) -> None:
    rng = np.random.default_rng(seed)
    op = Dense(**clamps(rng))
    x = activation((*rows, depth), rng if integers else None)
    inputs, quant = weighted(op, x, (units, depth), units, rng, symmetric)
    check_node(op, inputs, [quant], seed=seed, tolerance=1e-4)


@FEW
@given(geometries(), st.integers(1, 9), SEEDS, INTEGERS)
def test_max_pool2d_equals_numpy(
    case: dict[str, Any], channels: int, seed: int, integers: bool
) -> None:
    op = MaxPool2d(case["kernel"], case["stride"], case["dilation"], case["padding"])
    x = image(case["size"], channels, seed, integers)
    try:
        op.infer([x])
    except GraphError:  # dilation and padding leave a window without a pixel
        return
    check_node(op, [x], [x.quant], seed=seed, tolerance=0.0)


@FEW
@given(geometries(dilated=False), st.integers(1, 9), INTEGERS, SEEDS, INTEGERS)
def test_average_pool2d_equals_numpy(
    case: dict[str, Any], channels: int, include: bool, seed: int, integers: bool
) -> None:
    rng = np.random.default_rng(seed)
    op = AveragePool2d(case["kernel"], case["stride"], case["padding"], include, **clamps(rng))
    x = image(case["size"], channels, seed, integers)
    try:
        op.infer([x])
    except GraphError:  # padding on both sides of a small image leaves a window without a pixel
        return
    check_node(op, [x], [x.quant], seed=seed)


def test_integer_averages_round_half_away_from_zero() -> None:
    x = Tensor("x", (2, 1, 4), "int8", Quant((1.0,), (0,)))
    stored = np.array([[[1, -1, 3, 127]], [[2, -2, 3, 127]]], np.int8)
    (y,) = AveragePool2d((2, 1)).quantized([x], [x], stored)
    assert y.ravel().tolist() == [2, -2, 3, 127]


def test_padding_that_counts_is_real_zero() -> None:
    x = Tensor("x", (1, 1, 1), "int8", Quant((1.0,), (-128,)))
    op = AveragePool2d((1, 2), padding=((0, 0), (0, 1)), include_padding=True)
    (y,) = op.quantized([x], [x], np.array([[[-28]]], np.int8))  # (100 + 0) / 2, as stored
    assert y.item() == 50 - 128


def test_pools_work_in_place_only_where_no_window_looks_back() -> None:
    x = Tensor("x", (4, 4, 3), "int8", random_quant(np.random.default_rng(1)))

    def places(op: MaxPool2d | AveragePool2d | DepthwiseConv2d, *constants: Tensor) -> object:
        (kind,) = op.infer([x, *constants])
        y = Tensor("y", kind.shape, "int8", x.quant)
        return op.kernels([x, *constants], [y], frozenset())[0].inplace

    assert places(MaxPool2d((2, 2), (2, 2))) == ((0, 0),)
    assert places(MaxPool2d((3, 3))) == ((0, 0),)
    assert places(MaxPool2d((3, 3), padding=((1, 1), (1, 1)))) == ()
    assert places(AveragePool2d((4, 4))) == ((0, 0),)
    for channels, expected in ((3, ((0, 0),)), (6, ())):
        w = constant("w", np.ones((3, 3, channels), np.int8), Quant((0.1,)))
        b = constant("b", np.zeros(channels, np.int32))
        assert places(DepthwiseConv2d(), w, b) == expected


@pytest.mark.parametrize(
    ("op", "shapes", "message"),
    [
        (DepthwiseConv2d(), [(3, 3, 4), (2, 2, 6), (6,)], "do not match 4 channels"),
        (DepthwiseConv2d(), [(3, 3, 4), (2, 2, 4), (3,)], "do not match 4 channels"),
        (DepthwiseConv2d(), [(3, 3, 4), (4, 2, 4), (4,)], "does not fit"),
        (TransposedConv2d(groups=2), [(3, 3, 4), (2, 1, 1, 4), (2,)], "do not match 4 channels"),
        (TransposedConv2d(padding=((2, 1), (0, 0))), [(3, 3, 4), (2, 1, 1, 4), (2,)], "0 x 3"),
    ],
)
def test_shapes_that_do_not_match_are_refused(
    op: DepthwiseConv2d, shapes: list[tuple[int, ...]], message: str
) -> None:
    with pytest.raises(GraphError, match=message):
        op.infer([Tensor(f"t{i}", shape) for i, shape in enumerate(shapes)])


def test_accumulators_that_could_overflow_are_refused() -> None:
    x = Tensor("x", (300, 300, 1), "int8", Quant((0.1,), (-128,)))
    w = constant("w", np.full((260, 260, 1), 127, np.int8), Quant((0.1,)))
    b = constant("b", np.zeros(1, np.int32))
    y = Tensor("y", (41, 41, 1), "int8", Quant((math.pi,)))
    with pytest.raises(QuantizationError, match=r"accumulator of 2,189,226,000, beyond int32"):
        DepthwiseConv2d().kernels([x, w, b], [y], frozenset())
