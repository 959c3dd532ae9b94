"""Random networks on images: rows enough to be cut, layers that see beyond them, residuals."""

from __future__ import annotations

import numpy as np

from netsuke.ir import Graph, GraphBuilder, Quant
from netsuke.ops import (
    Add,
    AveragePool2d,
    Clamp,
    Conv2d,
    DepthwiseConv2d,
    MaxPool2d,
    Mul,
    Sigmoid,
)

CHANNELS = ((4, 8, 12), (3, 5, 8))
"""Of layers: rows that end at a word, and rows that mostly do not."""


class _Layers:
    def __init__(self, seed: int, integer: bool) -> None:
        self.rng = np.random.default_rng(seed)
        self.integer = integer
        self.channels = CHANNELS[seed % 3 == 2]
        self.builder = GraphBuilder(f"images{seed}")

    def pick(self, *options: int) -> int:
        return int(options[self.rng.integers(len(options))])

    def shape(self, name: str) -> tuple[int, ...]:
        return self.builder.tensors[name].shape

    def quant(self) -> Quant | None:
        if not self.integer:
            return None
        scale = float(np.float32(self.rng.uniform(0.02, 0.2)))
        return Quant((scale,), (int(self.rng.integers(-128, 128)),))

    def filters(self, shape: tuple[int, ...], axis: int) -> tuple[str, str]:
        k = shape[axis]
        if not self.integer:
            weights = self.rng.normal(size=shape) * 0.3
            return self.builder.constant("w", weights), self.builder.constant(
                "b", self.rng.normal(size=k)
            )
        scales = tuple(float(np.float32(s)) for s in self.rng.uniform(0.002, 0.02, k))
        data = self.rng.integers(-127, 128, shape).astype(np.int8)
        bias = self.rng.integers(-3000, 3000, k).astype(np.int32)
        return (
            self.builder.constant("w", data, Quant(scales, (0,) * k, axis)),
            self.builder.constant("b", bias),
        )

    def window(self, x: str) -> tuple[int, int, tuple[tuple[int, int], tuple[int, int]]]:
        """Kernel, stride and padding that fit."""
        kernel = self.pick(*(k for k in (1, 2, 3, 5) if k <= min(self.shape(x)[:2])))
        stride = self.pick(1, 1, 2)
        pads = [tuple(int(p) for p in self.rng.integers(0, kernel, 2)) for _ in "hw"]
        return kernel, stride, (pads[0], pads[1])

    def convolve(self, x: str) -> str:
        kernel, stride, padding = self.window(x)
        k = self.pick(*self.channels)
        low = 0.0 if self.rng.random() < 0.5 else -np.inf
        op = Conv2d(stride=(stride, stride), padding=padding, low=low)
        filters = self.filters((k, kernel, kernel, self.shape(x)[2]), 0)
        return self.builder.one(op, x, *filters, quant=self.quant())

    def depthwise(self, x: str) -> str:
        kernel, stride, padding = self.window(x)
        op = DepthwiseConv2d(stride=(stride, stride), padding=padding)
        filters = self.filters((kernel, kernel, self.shape(x)[2]), 2)
        return self.builder.one(op, x, *filters, quant=self.quant())

    def pool(self, x: str) -> str:
        kind = MaxPool2d if self.rng.random() < 0.5 else AveragePool2d
        op = kind(kernel=(2, 2), stride=(self.pick(1, 2),) * 2, padding=((0, 1), (1, 0)))
        return self.builder.one(op, x, quant=self.builder.tensors[x].quant)

    def table(self, x: str) -> str:
        quant = Quant((1 / 256,), (-128,)) if self.integer else None
        return self.builder.one(Sigmoid(), x, quant=quant)

    def clamp(self, x: str) -> str:
        return self.builder.one(Clamp(low=0.0), x, quant=self.builder.tensors[x].quant)

    def scale(self, x: str) -> str:
        shape = (1, 1, self.shape(x)[2])
        data = self.rng.integers(-128, 128, shape).astype(np.int8)
        factor = self.builder.constant(
            "f", data if self.integer else data / np.float32(64), self.quant()
        )
        return self.builder.one(Mul(), x, factor, quant=self.quant())

    def residual(self, x: str) -> str:
        channels = self.shape(x)[2]
        y = x
        for _ in range(self.pick(1, 2)):
            op = Conv2d(padding=((1, 1), (1, 1)), low=0.0)
            y = self.builder.one(
                op, y, *self.filters((channels, 3, 3, channels), 0), quant=self.quant()
            )
        return self.builder.one(Add(), x, y, quant=self.quant())

    def branch(self, x: str) -> str:
        """Two ways with one stride that are added."""
        k, channels = self.pick(*self.channels), self.shape(x)[2]
        wide = Conv2d(stride=(2, 2), padding=((1, 1), (1, 1)))
        short = Conv2d(stride=(2, 2))
        a = self.builder.one(wide, x, *self.filters((k, 3, 3, channels), 0), quant=self.quant())
        b = self.builder.one(short, x, *self.filters((k, 1, 1, channels), 0), quant=self.quant())
        if self.shape(a) != self.shape(b):
            return a
        return self.builder.one(Add(), a, b, quant=self.quant())


def image_graph(seed: int, integer: bool = True) -> Graph:
    """A verified network of up to ten layers on an image; the same seed gives the same graph."""
    layers = _Layers(seed, integer)
    size = layers.pick(9, 12, 16, 21)
    dtype = "int8" if integer else "float32"
    x = layers.builder.input("image", (size, layers.pick(8, 12), 4), dtype, layers.quant())
    makers = [layers.convolve, layers.depthwise, layers.pool, layers.table, layers.clamp]
    makers += [layers.scale, layers.residual, layers.branch]
    for _ in range(layers.pick(2, 3, 4, 5)):
        if min(layers.shape(x)[:2]) < 3:
            break
        x = makers[int(layers.rng.integers(len(makers)))](x)
    return layers.builder.build([x])
