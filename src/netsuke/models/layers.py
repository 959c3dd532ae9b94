"""Layers that the zoo's networks are made of, with seeded initial weights."""

from __future__ import annotations

import math

import numpy as np

from netsuke.ir import Graph, GraphBuilder
from netsuke.ops import (
    Add,
    AveragePool2d,
    BatchNorm,
    ChannelShuffle,
    Clamp,
    Concat,
    Conv2d,
    Dense,
    DepthwiseConv2d,
    HardSigmoid,
    HardSwish,
    MaxPool2d,
    Mul,
    Reshape,
    Softmax,
)
from netsuke.ops.window import Pads, same_padding

Pair = tuple[int, int]
VALID: Pads = ((0, 0), (0, 0))
"""No padding."""
DRAWN = 1 << 22
"""Weights drawn at a time, so that a large layer never stands in memory as float64."""


class Layers:
    """Builds a float graph; weights are drawn as He et al. 2015 (arXiv:1502.01852), eq. 10.

    Every method appends a layer after the tensor `x` and returns the output's name.

    Parameters
    ----------
    name
        The graph's name.
    seed
        Same seed, same initial weights.
    epsilon
        Of the batch normalizations.
    """

    def __init__(self, name: str, seed: int, epsilon: float = 1e-3) -> None:
        self.builder = GraphBuilder(name)
        self.rng = np.random.default_rng(seed)
        self.epsilon = epsilon
        self.count = 0

    def input(self, *shape: int) -> str:
        return self.builder.input("input", shape)

    def shape(self, x: str) -> tuple[int, ...]:
        return self.builder.tensors[x].shape

    def next(self, kind: str) -> str:
        self.count += 1
        return f"{kind}{self.count}"

    def weights(self, name: str, shape: tuple[int, ...], fan: int, gain: float = 2.0) -> str:
        """Normal deviates with variance gain / fan."""
        values = np.empty(math.prod(shape), np.float32)
        for start in range(0, values.size, DRAWN):
            part = values[start : start + DRAWN]
            part[:] = self.rng.standard_normal(part.size) * math.sqrt(gain / fan)
        return self.builder.constant(f"{name}.weights", values.reshape(shape))

    def zeros(self, name: str, count: int, value: float = 0.0) -> str:
        return self.builder.constant(name, np.full(count, value, np.float32))

    def _same(self, x: str, kernel: Pair, stride: Pair) -> Pads:
        height, width = self.shape(x)[:2]
        return (
            same_padding(height, kernel[0], stride[0]),
            same_padding(width, kernel[1], stride[1]),
        )

    def conv(
        self,
        x: str,
        channels: int,
        kernel: Pair,
        stride: Pair = (1, 1),
        groups: int = 1,
        padding: Pads | None = None,
    ) -> str:
        """Convolution with bias, by itself padded to ceil(size / stride)."""
        name, depth = self.next("conv"), self.shape(x)[2] // groups
        fan = kernel[0] * kernel[1] * depth
        weights = self.weights(name, (channels, *kernel, depth), fan)
        bias = self.zeros(f"{name}.bias", channels)
        if padding is None:
            padding = self._same(x, kernel, stride)
        op = Conv2d(stride=stride, padding=padding, groups=groups)
        return self.builder.one(op, x, weights, bias, name=name)

    def depthwise(self, x: str, kernel: Pair, stride: Pair = (1, 1)) -> str:
        """Depthwise convolution with bias, padded to ceil(size / stride)."""
        name, depth = self.next("depthwise"), self.shape(x)[2]
        weights = self.weights(name, (*kernel, depth), kernel[0] * kernel[1])
        bias = self.zeros(f"{name}.bias", depth)
        op = DepthwiseConv2d(stride=stride, padding=self._same(x, kernel, stride))
        return self.builder.one(op, x, weights, bias, name=name)

    def norm(self, x: str) -> str:
        """Batch normalization, at first the identity but for epsilon."""
        name, depth = self.next("norm"), self.shape(x)[-1]
        names = [self.zeros(f"{name}.{part}", depth) for part in ("offset", "mean")]
        ones = [self.zeros(f"{name}.{part}", depth, 1.0) for part in ("scale", "variance")]
        op = BatchNorm(epsilon=self.epsilon)
        return self.builder.one(op, x, ones[0], *names, ones[1], name=name)

    def relu(self, x: str, high: float = math.inf) -> str:
        return self.builder.one(Clamp(0.0, high), x, name=self.next("relu"))

    def add(self, x: str, y: str) -> str:
        return self.builder.one(Add(), x, y, name=self.next("add"))

    def hard_swish(self, x: str) -> str:
        return self.builder.one(HardSwish(), x, name=self.next("swish"))

    def concat(self, *parts: str) -> str:
        """Channels one behind the other."""
        return self.builder.one(Concat(2), *parts, name=self.next("concat"))

    def shuffle(self, x: str, groups: int) -> str:
        """Channels of groups interleaved; nothing to do for one group."""
        if groups == 1:
            return x
        return self.builder.one(ChannelShuffle(groups), x, name=self.next("shuffle"))

    def squeeze_excite(self, x: str, channels: int) -> str:
        """Every channel times a hard sigmoid of all channels' means (Hu et al. 2018)."""
        height, width, depth = self.shape(x)
        op = AveragePool2d(kernel=(height, width), stride=(height, width))
        gate = self.builder.one(op, x, name=self.next("average"))
        gate = self.conv(self.relu(self.conv(gate, channels, (1, 1))), depth, (1, 1))
        gate = self.builder.one(HardSigmoid(), gate, name=self.next("gate"))
        return self.builder.one(Mul(), x, gate, name=self.next("scaled"))

    def max_pool(
        self, x: str, size: int = 2, stride: int | None = None, padding: Pads = VALID
    ) -> str:
        """Largest of each size x size window, by itself without overlap."""
        step = size if stride is None else stride
        op = MaxPool2d(kernel=(size, size), stride=(step, step), padding=padding)
        return self.builder.one(op, x, name=self.next("pool"))

    def same_max_pool(self, x: str, size: int, stride: int) -> str:
        """Largest of each window, padded to ceil(height / stride) x ceil(width / stride)."""
        return self.max_pool(x, size, stride, self._same(x, (size, size), (stride, stride)))

    def average(self, x: str) -> str:
        """Mean over the image, as a vector of channels."""
        height, width, depth = self.shape(x)
        op = AveragePool2d(kernel=(height, width), stride=(height, width))
        mean = self.builder.one(op, x, name=self.next("average"))
        return self.builder.one(Reshape((depth,)), mean, name=self.next("flat"))

    def flatten(self, x: str) -> str:
        elements = self.builder.tensors[x].elements
        return self.builder.one(Reshape((elements,)), x, name=self.next("flat"))

    def dense(self, x: str, units: int, gain: float = 2.0) -> str:
        name, depth = self.next("dense"), self.shape(x)[-1]
        weights = self.weights(name, (units, depth), depth, gain)
        return self.builder.one(Dense(), x, weights, self.zeros(f"{name}.bias", units), name=name)

    def classify(self, x: str, classes: int, softmax: bool) -> Graph:
        """End with one score a class (or probabilities) and return the graph."""
        scores = self.dense(x, classes, gain=1.0)
        if softmax:
            scores = self.builder.one(Softmax(), scores, name="probabilities")
        return self.builder.build([scores])
