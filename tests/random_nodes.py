"""Random single nodes that reach every tail of the integer kernels, and their jobs.

`random_node(kind, rng)` draws sizes, strides, dilations, paddings, groups, channels, zero points,
multipliers, biases and samples, extremes among them. `jobs_of(node, isa, pointer)` asks the
operator for every kernel of an instruction set, and describes one call of each, plus one for each
way to work in place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from kernel_jobs import Job, make_job

from netsuke.ir import Array, Kernel, Op, Quant, Tensor, constant
from netsuke.ops import (
    Add,
    AveragePool2d,
    Conv2d,
    Dense,
    DepthwiseConv2d,
    MaxPool2d,
    TransposedConv2d,
)


@dataclass(frozen=True)
class Node:
    """An operator with its tensors, a sample of its activations and what must come out."""

    op: Op
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    arrays: tuple[Array, ...]
    meaning: tuple[Array, ...]

    def __str__(self) -> str:
        shapes = " ".join(str(list(tensor.shape)) for tensor in self.inputs)
        return f"{self.op} on {shapes}"


def make_node(op: Op, inputs: Sequence[Tensor], output: Quant, rng: np.random.Generator) -> Node:
    """A node with a random sample and what it must give."""
    (kind,) = op.infer(inputs)
    outputs = (Tensor("y", kind.shape, kind.dtype, output),)
    arrays = tuple(t.data if t.data is not None else sample(t.shape, rng) for t in inputs)
    return Node(op, tuple(inputs), outputs, arrays, op.quantized(inputs, outputs, *arrays))


def sample(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """int8: all values, now and then extremes only, or one value only."""
    kind = rng.integers(0, 8)
    if kind == 0:
        return rng.choice(np.array([-128, 127], np.int8), shape)
    if kind == 1:
        return np.full(shape, rng.choice([-128, -1, 0, 127]), np.int8)
    return rng.integers(-128, 128, shape).astype(np.int8)


def _zero(rng: np.random.Generator) -> int:
    return int(rng.choice([-128, 0, 127, int(rng.integers(-128, 128))]))


def _clamp(rng: np.random.Generator, scale: float) -> dict[str, float]:
    """No bound, or bounds that cut off a part."""
    bounds = {}
    if rng.random() < 0.3:
        bounds["low"] = 0.0 if rng.random() < 0.7 else -20 * scale
    if rng.random() < 0.2:
        bounds["high"] = float(scale * rng.integers(21, 90))
    return bounds


def _weights(
    shape: tuple[int, ...], axis: int, x: Quant, rng: np.random.Generator
) -> tuple[list[Tensor], Quant]:
    """Weights, bias and an output quantization for which most outputs are not clamped."""
    channels = shape[axis]
    depth = max(1, math.prod(shape) // channels)
    data = rng.integers(-127, 128, shape).astype(np.int8)
    kind = rng.integers(0, 10)
    if kind == 0:
        data[...] = rng.choice([-127, 127])
    elif kind == 1:
        data = np.where(rng.random(shape) < 0.8, 0, data).astype(np.int8)
    elif kind == 2:  # dead filters among the others
        dead = [slice(None)] * len(shape)
        dead[axis] = rng.random(channels) < 0.5
        data[tuple(dead)] = 0
    scales = rng.uniform(0.5, 2.0, channels) * 0.02 / math.sqrt(depth)
    if kind == 3:  # factors that are powers of two: ties
        scales[:] = 2.0**-6
    factor = float(np.float32(rng.uniform(0.2, 4.0)))
    if kind == 4:  # a factor above 1, or tiny shifts
        factor = 0.002
    count = channels if rng.random() < 0.8 else 1
    quant = Quant(tuple(map(float, np.float32(scales[:count]))), (0,) * count, axis)
    if count == 1:
        quant = Quant(quant.scale, (int(rng.integers(-9, 9)) if rng.random() < 0.1 else 0,))
    reach = 3000 if rng.random() < 0.8 else 1 << 20
    bias = rng.integers(-reach, reach, channels).astype(np.int32)
    # The sums spread over some 70 * 70 * sqrt(depth); outputs over some 60.
    scale = x.scale[0] * float(np.mean(scales)) * 4900 * math.sqrt(depth) / 60
    scale = x.scale[0] * 2.0**-6 * 2.0**7 if kind == 3 else scale * factor
    tensors = [constant("w", data, quant), constant("b", bias)]
    return tensors, Quant((float(np.float32(scale)),), (_zero(rng),))


def _pair(rng: np.random.Generator, low: int, high: int) -> tuple[int, int]:
    return int(rng.integers(low, high + 1)), int(rng.integers(low, high + 1))


def _window(
    rng: np.random.Generator, kernel: tuple[int, int], dilate: bool = True, most: int = 9
) -> dict[str, Any]:
    """Stride, dilation and padding, and an image that holds at least one window."""
    plain = rng.random() < 0.5
    stride = (1, 1) if plain else _pair(rng, 1, 3)
    dilation = (1, 1) if plain or not dilate else _pair(rng, 1, 2)
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    limit = [r + 2 if rng.random() < 0.1 else r - 1 for r in reach]
    padding = tuple(_pair(rng, 0, most) for most in limit) if rng.random() < 0.7 else ((0, 0),) * 2
    size = tuple(
        max(1, r - sum(p)) + int(rng.integers(0, most)) for r, p in zip(reach, padding, strict=True)
    )
    return {"stride": stride, "dilation": dilation, "padding": padding, "size": size}


def _activation(shape: tuple[int, ...], rng: np.random.Generator) -> Tensor:
    return Tensor("x", shape, "int8", Quant((0.05,), (_zero(rng),)))


def conv2d(rng: np.random.Generator) -> Node:
    kernel = [(1, 1), (3, 3), (3, 3), _pair(rng, 1, 5)][rng.integers(0, 4)]
    window = _window(rng, kernel)
    groups = int(rng.choice([1, 1, 1, 2, 3]))
    depth = int(rng.choice([1, 2, 3, 4, int(rng.integers(1, 40))]))
    if depth > 16:
        window["size"] = tuple(min(s, 3 + k) for s, k in zip(window["size"], kernel, strict=True))
    k = groups * int(rng.integers(1, 10))
    x = _activation((*_holding(window, kernel), depth * groups), rng)
    assert x.quant is not None
    tensors, output = _weights((k, *kernel, depth), 0, x.quant, rng)
    op = Conv2d(
        window["stride"],
        window["dilation"],
        window["padding"],
        groups,
        **_clamp(rng, output.scale[0]),
    )
    return make_node(op, [x, *tensors], output, rng)


def _holding(window: dict[str, Any], kernel: tuple[int, int]) -> tuple[int, ...]:
    """The window's image, not smaller than the reach less the padding."""
    least = [
        (k - 1) * d + 1 - sum(p)
        for k, d, p in zip(kernel, window["dilation"], window["padding"], strict=True)
    ]
    return tuple(max(s, n, 1) for s, n in zip(window["size"], least, strict=True))


def depthwise_conv2d(rng: np.random.Generator) -> Node:
    kernel = [(3, 3), (3, 3), _pair(rng, 1, 6), (1, int(rng.integers(1, 12)))][rng.integers(0, 4)]
    kernel = kernel if rng.random() < 0.5 else kernel[::-1]
    window = _window(rng, kernel, most=14)
    channels = int(rng.integers(1, 7))
    k = channels * int(rng.choice([1, 1, 2, 3]))
    x = _activation((*_holding(window, kernel), channels), rng)
    assert x.quant is not None
    tensors, output = _weights((*kernel, k), 2, x.quant, rng)
    op = DepthwiseConv2d(
        window["stride"], window["dilation"], window["padding"], **_clamp(rng, output.scale[0])
    )
    return make_node(op, [x, *tensors], output, rng)


def dense(rng: np.random.Generator) -> Node:
    rows = int(rng.choice([1, 1, 1, 2, 5, 9]))
    shape = (rows, int(rng.integers(1, 50))) if rows > 1 else (int(rng.integers(1, 200)),)
    x = _activation(shape, rng)
    assert x.quant is not None
    tensors, output = _weights((int(rng.integers(1, 14)), shape[-1]), 0, x.quant, rng)
    return make_node(Dense(**_clamp(rng, output.scale[0])), [x, *tensors], output, rng)


def add(rng: np.random.Generator) -> Node:
    shape = (int(rng.integers(1, 6)), int(rng.integers(1, 40)))
    other = shape if rng.random() < 0.8 else (1, shape[1])
    choices = [0.5, 0.25, 0.1, 0.037, 0.001, float(rng.uniform(0.005, 0.4))]
    quants = [Quant((float(np.float32(rng.choice(choices))),), (_zero(rng),)) for _ in range(3)]
    x, y = (Tensor(n, s, "int8", q) for n, s, q in zip("ab", (shape, other), quants, strict=False))
    return make_node(Add(**_clamp(rng, quants[2].scale[0])), [x, y], quants[2], rng)


def average_pool2d(rng: np.random.Generator) -> Node:
    kernel = _pair(rng, 1, 5)
    stride, padding = _pair(rng, 1, 3), tuple(_pair(rng, 0, k - 1) for k in kernel)
    size = tuple(k + int(rng.integers(0, 6)) for k in kernel)
    x = _activation((*size, int(rng.integers(1, 19))), rng)
    assert x.quant is not None
    including = bool(rng.integers(0, 2))
    clamp = _clamp(rng, x.quant.scale[0])
    op = AveragePool2d(kernel, stride, padding, including, **clamp)
    return make_node(op, [x], x.quant, rng)


def max_pool2d(rng: np.random.Generator) -> Node:
    kernel = _pair(rng, 1, 4)
    stride, dilation = _pair(rng, 1, 3), _pair(rng, 1, 2)
    padding = tuple(_pair(rng, 0, k - 1) for k in kernel)
    size = tuple(
        (k - 1) * d + 1 + int(rng.integers(0, 6)) for k, d in zip(kernel, dilation, strict=True)
    )
    x = _activation((*size, int(rng.integers(1, 19))), rng)
    assert x.quant is not None
    return make_node(MaxPool2d(kernel, stride, dilation, padding), [x], x.quant, rng)


def transposed_conv2d(rng: np.random.Generator) -> Node:
    kernel, stride = _pair(rng, 1, 4), _pair(rng, 1, 3)
    dilation = _pair(rng, 1, 2)
    padding = tuple(_pair(rng, 0, max(0, (k - 1) // 2)) for k in kernel)
    groups = int(rng.choice([1, 1, 2]))
    depth, k = int(rng.integers(1, 9)), groups * int(rng.integers(1, 5))
    size = (int(rng.integers(1, 6)) + 2, int(rng.integers(1, 6)) + 2)
    x = _activation((*size, depth * groups), rng)
    assert x.quant is not None
    tensors, output = _weights((k, *kernel, depth), 0, x.quant, rng)
    extra = tuple(int(rng.integers(0, s)) for s in stride)
    clamp = _clamp(rng, output.scale[0])
    op = TransposedConv2d(stride, dilation, padding, extra, groups, **clamp)
    return make_node(op, [x, *tensors], output, rng)


KINDS: dict[str, Callable[[np.random.Generator], Node]] = {
    "conv2d": conv2d,
    "depthwise_conv2d": depthwise_conv2d,
    "dense": dense,
    "add": add,
    "average_pool2d": average_pool2d,
    "max_pool2d": max_pool2d,
    "transposed_conv2d": transposed_conv2d,
}


def random_node(kind: str, seed: int) -> Node:
    """A node of an operator; the same seed gives the same node."""
    return KINDS[kind](np.random.default_rng([seed, *kind.encode()]))


def kernels_of(node: Node, isa: frozenset[str]) -> tuple[Kernel, ...]:
    return node.op.kernels(node.inputs, node.outputs, isa)


def jobs_of(
    node: Node,
    isa: frozenset[str],
    pointer: int,
    label: str = "",
    wanted: Callable[[str], bool] = lambda function: True,
) -> list[Job]:
    """A call of every kernel of the instruction sets, plainly and in place; `wanted` names some."""
    constants = [tensor.is_constant for tensor in node.inputs]
    return [
        make_job(
            kernel,
            node.arrays,
            constants,
            node.meaning,
            inplace,
            pointer=pointer,
            behind=len(label) % 4,
            label=f"{label} {node} inplace={inplace}",
        )
        for kernel in kernels_of(node, isa)
        if wanted(kernel.function)
        for inplace in (None, *kernel.inplace)
    ]
