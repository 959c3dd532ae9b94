"""Kernels for cores with DSP instructions: the C that runs elsewhere gives the same integers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from node_check import check_node

from netsuke.ir import Quant, Tensor, constant
from netsuke.ops.add import Add
from netsuke.ops.conv2d import Conv2d
from netsuke.ops.dense import Dense
from netsuke.ops.depthwise_conv2d import DepthwiseConv2d

DSP = frozenset({"thumb2", "dsp"})


def conv_tensors(
    rng: np.random.Generator,
    shape: tuple[int, ...],
    kernel: tuple[int, ...],
    zero: int,
    factors: Any = None,
) -> list[Tensor]:
    """An int8 image, random weights and bias; scales such that outputs spread over int8."""
    k, depth = kernel[0], math.prod(kernel[1:])
    weights = rng.integers(-127, 128, kernel).astype(np.int8)
    bias = rng.integers(-3000, 3000, k).astype(np.int32)
    scale = rng.uniform(0.5, 2.0, k) * 0.02 / math.sqrt(depth) if factors is None else factors
    return [
        Tensor("x", shape, "int8", Quant((0.05,), (zero,))),
        constant("w", weights, Quant(tuple(map(float, scale)), (0,) * k, axis=0)),
        constant("b", bias),
    ]


@st.composite
def geometries(draw: Any) -> dict[str, Any]:
    def pair(low: int, high: int) -> tuple[int, int]:
        return draw(st.integers(low, high)), draw(st.integers(low, high))

    kernel, stride, dilation = pair(1, 4), pair(1, 3), pair(1, 2)
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    padding = tuple((draw(st.integers(0, r)), draw(st.integers(0, r))) for r in reach)
    size = [
        max(1, r - sum(p)) + draw(st.integers(0, 8)) for r, p in zip(reach, padding, strict=True)
    ]
    return {
        "op": {"stride": stride, "dilation": dilation, "padding": padding},
        "image": (*size, draw(st.integers(1, 9))),
        "kernel": kernel,
        "channels": draw(st.integers(1, 7)),
        "zero": draw(st.integers(-128, 127)),
        "seed": draw(st.integers(0, 1 << 30)),
        "high": draw(st.sampled_from([math.inf, 2.0])),
        "low": draw(st.sampled_from([-math.inf, 0.0])),
    }


@settings(max_examples=150, deadline=None)
@given(geometries())
def test_the_convolution_equals_its_meaning_for_any_geometry(g: dict[str, Any]) -> None:
    rng = np.random.default_rng(g["seed"])
    inputs = conv_tensors(rng, g["image"], (g["channels"], *g["kernel"], g["image"][2]), g["zero"])
    op = Conv2d(**g["op"], low=g["low"], high=g["high"])
    kernels = check_node(op, inputs, [Quant((0.03,), (g["zero"] // 2,))], isa=DSP, seed=g["seed"])
    assert any("dsp" in kernel.function for kernel in kernels)


@st.composite
def depthwise_geometries(draw: Any) -> dict[str, Any]:
    def pair(low: int, high: int) -> tuple[int, int]:
        return draw(st.integers(low, high)), draw(st.integers(low, high))

    stride, dilation = pair(1, 3), pair(1, 2)
    padding = (pair(0, 3), pair(0, 3))
    size = [
        max(1, 2 * d + 1 - sum(p)) + draw(st.integers(0, 9))
        for d, p in zip(dilation, padding, strict=True)
    ]
    return {
        "op": {"stride": stride, "dilation": dilation, "padding": padding},
        "image": (*size, draw(st.integers(1, 4))),
        "multiplier": draw(st.integers(1, 2)),
        "zero": draw(st.integers(-128, 127)),
        "seed": draw(st.integers(0, 1 << 30)),
        "low": draw(st.sampled_from([-math.inf, 0.0])),
    }


@settings(max_examples=150, deadline=None)
@given(depthwise_geometries())
def test_the_depthwise_convolution_equals_its_meaning(g: dict[str, Any]) -> None:
    rng = np.random.default_rng(g["seed"])
    k = g["image"][2] * g["multiplier"]
    x, w, b = conv_tensors(rng, g["image"], (k, 3, 3), g["zero"])
    assert w.data is not None and w.quant is not None
    w = constant("w", w.data.transpose(1, 2, 0), Quant(w.quant.scale, w.quant.zero_point, axis=2))
    op = DepthwiseConv2d(**g["op"], low=g["low"])
    check_node(op, [x, w, b], [Quant((0.03,), (g["zero"] // 2,))], isa=DSP, seed=g["seed"])


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 6),
    units=st.integers(1, 9),
    depth=st.integers(1, 21),
    zero=st.integers(-128, 127),
    high=st.sampled_from([math.inf, 1.5]),
)
def test_the_dense_layer_equals_its_meaning(
    rows: int, units: int, depth: int, zero: int, high: float
) -> None:
    rng = np.random.default_rng(units + 10 * depth)
    inputs = conv_tensors(rng, (rows, depth), (units, depth), zero)
    kernels = check_node(Dense(high=high), inputs, [Quant((0.03,), (zero // 2,))], isa=DSP)
    assert "nsk_dense_s8_dsp" in {kernel.function for kernel in kernels}


@settings(max_examples=80, deadline=None)
@given(
    image=st.tuples(st.integers(1, 5), st.integers(1, 7), st.integers(1, 9)),
    channels=st.integers(1, 20),
    zero=st.integers(-128, 127),
    high=st.sampled_from([math.inf, 1.5]),
    isa=st.sampled_from([DSP, frozenset()]),
)
def test_a_pointwise_convolution_writes_over_its_input_though_its_output_is_larger(
    image: tuple[int, int, int], channels: int, zero: int, high: float, isa: frozenset[str]
) -> None:
    rng = np.random.default_rng(channels)
    inputs = conv_tensors(rng, image, (channels, 1, 1, image[2]), zero)
    kernels = check_node(Conv2d(high=high), inputs, [Quant((0.03,), (zero // 2,))], isa=isa)
    assert any(kernel.inplace for kernel in kernels) or channels <= image[2]
    rows = conv_tensors(rng, (image[0] * image[1], image[2]), (channels, image[2]), zero)
    kernels = check_node(Dense(high=high), rows, [Quant((0.03,), (zero // 2,))], isa=isa)
    several = image[0] * image[1] > 1
    assert any(kernel.inplace for kernel in kernels) or channels <= image[2] or not several


@settings(max_examples=80, deadline=None)
@given(
    shape=st.sampled_from([(7,), (3, 4, 5), (256,)]),
    scales=st.tuples(*[st.sampled_from([0.5, 0.25, 0.1, 0.037])] * 3),
    zeros=st.tuples(*[st.integers(-128, 127)] * 3),
    low=st.sampled_from([-math.inf, 0.0]),
)
def test_the_addition_equals_its_meaning_ties_included(
    shape: tuple[int, ...], scales: tuple[float, ...], zeros: tuple[int, ...], low: float
) -> None:
    quants = [Quant((scale,), (zero,)) for scale, zero in zip(scales, zeros, strict=True)]
    inputs = [Tensor(name, shape, "int8", quant) for name, quant in zip("ab", quants, strict=False)]
    kernels = check_node(Add(low=low), inputs, quants[2:], isa=DSP, seed=zeros[0] + 128)
    assert kernels[0].function == "nsk_add_s8_dsp"
