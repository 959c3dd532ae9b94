"""Random convolutions and poolings for the tests of spatial operators."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from netsuke.ir import Op, Quant, Tensor, constant
from netsuke.ops import Conv2d, DepthwiseConv2d, TransposedConv2d


@st.composite
def geometries(draw: st.DrawFn, dilated: bool = True) -> dict[str, Any]:
    """Kernel, stride, dilation and padding, and an image that holds at least one window."""
    kernel = (draw(st.integers(1, 4)), draw(st.integers(1, 4)))
    dilation = (draw(st.integers(1, 3)), draw(st.integers(1, 3))) if dilated else (1, 1)
    stride = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    padding = tuple(
        (draw(st.integers(0, k - 1)), draw(st.integers(0, k - 1)))
        for k in (kernel if dilated else reach)
    )
    size = tuple(
        draw(st.integers(max(1, r - sum(p)), r + 6)) for r, p in zip(reach, padding, strict=True)
    )
    return {
        "kernel": kernel,
        "dilation": dilation,
        "stride": stride,
        "padding": padding,
        "size": size,
    }


def activation(shape: tuple[int, ...], rng: np.random.Generator | None) -> Tensor:
    """A float input, or an int8 one when a generator for its quantization is given."""
    if rng is None:
        return Tensor("x", shape)
    return Tensor("x", shape, "int8", random_quant(rng))


def random_quant(rng: np.random.Generator) -> Quant:
    zero = int(rng.choice([-128, 0, 127, int(rng.integers(-128, 128))]))
    return Quant((float(np.float32(rng.uniform(0.005, 0.1))),), (zero,))


def weighted(
    op: Op,
    x: Tensor,
    shape: tuple[int, ...],
    channels: int,
    rng: np.random.Generator,
    symmetric: bool = True,
) -> tuple[list[Tensor], Quant | None]:
    """Inputs (activation, weights, bias) of an accumulating operator and the output's quant."""
    if x.quant is None:
        weights = rng.normal(size=shape).astype(np.float32)
        bias = rng.normal(size=channels).astype(np.float32)
        return [x, constant("w", weights), constant("b", bias)], None
    data = rng.integers(-128 + symmetric, 128, shape).astype(np.int8)
    axis = op.rule.weights[1] if symmetric else None
    count = channels if symmetric and rng.random() < 0.8 else 1
    scales = rng.uniform(0.002, 0.02, count).astype(np.float32)
    zero = (0,) * count if symmetric else (int(rng.integers(-128, 128)),)
    quant = Quant(tuple(map(float, scales)), zero, axis if count > 1 else None)
    bias = rng.integers(-3000, 3000, channels).astype(np.int32)
    depth = data.size // channels
    spread = x.quant.scale[0] * float(scales.mean()) * 75 * 75 * np.sqrt(depth)
    output = replace(random_quant(rng), scale=(float(np.float32(spread / rng.uniform(30, 90))),))
    return [x, constant("w", data, quant), constant("b", bias)], output


def conv2d(case: dict[str, Any], groups: int = 1, **clamp: float) -> Conv2d:
    return Conv2d(case["stride"], case["dilation"], case["padding"], groups, **clamp)


def depthwise(case: dict[str, Any], **clamp: float) -> DepthwiseConv2d:
    return DepthwiseConv2d(case["stride"], case["dilation"], case["padding"], **clamp)


def transposed(case: dict[str, Any], groups: int = 1, **clamp: float) -> TransposedConv2d:
    return TransposedConv2d(
        case["stride"], case["dilation"], case["padding"], case["extra"], groups, **clamp
    )


@st.composite
def transposed_geometries(draw: st.DrawFn) -> dict[str, Any]:
    """A transposed convolution whose crop leaves something."""
    kernel = (draw(st.integers(1, 4)), draw(st.integers(1, 4)))
    stride = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    dilation = (draw(st.integers(1, 2)), draw(st.integers(1, 2)))
    extra = tuple(draw(st.integers(0, s - 1)) for s in stride)
    size = (draw(st.integers(1, 5)), draw(st.integers(1, 5)))
    padding = []
    for n, s, k, d, e in zip(size, stride, kernel, dilation, extra, strict=True):
        full = (n - 1) * s + (k - 1) * d + 1 + e
        crop = draw(st.integers(0, min(full - 1, k)))
        before = draw(st.integers(0, crop))
        padding.append((before, crop - before))
    return {
        "kernel": kernel,
        "stride": stride,
        "dilation": dilation,
        "padding": tuple(padding),
        "extra": extra,
        "size": size,
    }
