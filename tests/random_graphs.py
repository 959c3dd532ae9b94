"""Random small graphs: many operators, shapes and ways to connect them, from one seed."""

from __future__ import annotations

import numpy as np

from netsuke.ir import Graph, GraphBuilder, Quant
from netsuke.ops import (
    Add,
    AveragePool2d,
    Clamp,
    Concat,
    Conv2d,
    Dense,
    DepthwiseConv2d,
    MaxPool2d,
    Mul,
    Pad,
    Reshape,
    Sigmoid,
    Slice,
    Softmax,
    Split,
    Transpose,
)

LONGEST = 9


class _Maker:
    def __init__(self, seed: int, integer: bool) -> None:
        self.rng = np.random.default_rng(seed)
        self.integer = integer
        self.builder = GraphBuilder(f"random{seed}")
        self.pool: list[str] = []

    def quant(self) -> Quant | None:
        if not self.integer:
            return None
        scale = float(np.float32(self.rng.uniform(0.01, 0.2)))
        return Quant((scale,), (int(self.rng.integers(-128, 128)),))

    def weights(self, shape: tuple[int, ...], axis: int, channels: int) -> str:
        if not self.integer:
            return self.builder.constant("w", self.rng.normal(size=shape) * 0.4)
        per_channel = self.rng.random() < 0.7
        count = channels if per_channel else 1
        scales = tuple(float(np.float32(s)) for s in self.rng.uniform(0.002, 0.02, count))
        quant = Quant(scales, (0,) * count, axis if per_channel else None)
        data = self.rng.integers(-127, 128, shape).astype(np.int8)
        return self.builder.constant("w", data, quant)

    def bias(self, channels: int) -> str:
        if not self.integer:
            return self.builder.constant("b", self.rng.normal(size=channels))
        return self.builder.constant("b", self.rng.integers(-5000, 5000, channels).astype(np.int32))

    def shape(self, name: str) -> tuple[int, ...]:
        return self.builder.tensors[name].shape

    def same(self, name: str) -> Quant | None:
        return self.builder.tensors[name].quant

    def step(self) -> None:
        x = self.pool[int(self.rng.integers(len(self.pool)))]
        makers = [
            self.convolve,
            self.depthwise,
            self.pool2d,
            self.elementwise,
            self.clamp,
            self.table,
            self.concat,
            self.split,
            self.pad,
            self.cut,
            self.transpose,
            self.scale,
        ]
        maker = makers[int(self.rng.integers(len(makers)))]
        shape = self.shape(x)
        if len(shape) == 3 and min(shape) > 0 and np.prod(shape) <= 4096:
            self.pool.extend(maker(x))

    def convolve(self, x: str) -> list[str]:
        h, w, c = self.shape(x)
        kh, kw = (int(self.rng.integers(1, min(4, n + 1))) for n in (h, w))
        k = int(self.rng.integers(1, 10))
        groups = 2 if c % 2 == 0 and k % 2 == 0 and self.rng.random() < 0.3 else 1
        pads = tuple((int(self.rng.integers(0, kh)), int(self.rng.integers(0, kh))) for _ in "hw")
        op = Conv2d(
            stride=tuple(int(s) for s in self.rng.integers(1, 3, 2)),
            padding=pads,
            groups=groups,
            low=0.0 if self.rng.random() < 0.5 else -np.inf,
        )
        w_name = self.weights((k, kh, kw, c // groups), 0, k)
        return [self.builder.one(op, x, w_name, self.bias(k), quant=self.quant())]

    def depthwise(self, x: str) -> list[str]:
        h, w, c = self.shape(x)
        if min(h, w) < 2:
            return []
        multiplier = int(self.rng.integers(1, 3))
        op = DepthwiseConv2d(
            padding=((1, 1), (1, 1)), high=6.0 if self.rng.random() < 0.5 else np.inf
        )
        k = c * multiplier
        name = self.weights((2, 2, k), 2, k)
        return [self.builder.one(op, x, name, self.bias(k), quant=self.quant())]

    def pool2d(self, x: str) -> list[str]:
        h, w, _ = self.shape(x)
        if min(h, w) < 2:
            return []
        kind = MaxPool2d if self.rng.random() < 0.5 else AveragePool2d
        op = kind(kernel=(2, 2), stride=(int(self.rng.integers(1, 3)),) * 2)
        return [self.builder.one(op, x, quant=self.same(x))]

    def elementwise(self, x: str) -> list[str]:
        partners = [n for n in self.pool if self.shape(n) == self.shape(x)]
        other = partners[int(self.rng.integers(len(partners)))]
        return [self.builder.one(Add(), x, other, quant=self.quant())]

    def scale(self, x: str) -> list[str]:
        partners = [n for n in self.pool if self.shape(n) == self.shape(x)]
        return [self.builder.one(Mul(), x, partners[0], quant=self.quant())]

    def clamp(self, x: str) -> list[str]:
        return [self.builder.one(Clamp(low=0.0, high=6.0), x, quant=self.same(x))]

    def table(self, x: str) -> list[str]:
        quant = Quant((1 / 256,), (-128,)) if self.integer else None
        return [self.builder.one(Sigmoid(), x, quant=quant)]

    def concat(self, x: str) -> list[str]:
        axis = int(self.rng.integers(3))
        partners = [
            n
            for n in self.pool
            if len(self.shape(n)) == 3
            and self.same(n) == self.same(x)
            and all(
                a == b
                for i, (a, b) in enumerate(zip(self.shape(n), self.shape(x), strict=True))
                if i != axis
            )
        ]
        names = [x, *partners[:2]]
        return [self.builder.one(Concat(axis=axis), *names, quant=self.same(x))]

    def split(self, x: str) -> list[str]:
        axis = int(self.rng.integers(3))
        extent = self.shape(x)[axis]
        if extent < 2:
            return []
        first = int(self.rng.integers(1, extent))
        op = Split(axis=axis, sizes=(first, extent - first))
        return list(self.builder.add(op, [x], quants=[self.same(x)] * 2))

    def pad(self, x: str) -> list[str]:
        padding = tuple((int(a), int(b)) for a, b in self.rng.integers(0, 3, (3, 2)))
        return [self.builder.one(Pad(padding=padding), x, quant=self.same(x))]

    def cut(self, x: str) -> list[str]:
        ranges = []
        for extent in self.shape(x):
            step = int(self.rng.integers(1, 3))
            start = int(self.rng.integers(0, extent))
            ranges.append((start, -(-(extent - start) // step), step))
        return [self.builder.one(Slice(ranges=tuple(ranges)), x, quant=self.same(x))]

    def transpose(self, x: str) -> list[str]:
        axes = tuple(int(a) for a in self.rng.permutation(3))
        return [self.builder.one(Transpose(axes=axes), x, quant=self.same(x))]

    def finish(self) -> Graph:
        readers = {name for node in self.builder.nodes for name in node.inputs}
        loose = [n for n in self.pool if n not in readers and n not in self.builder.inputs]
        outputs = loose[:2] or [self.pool[-1]]
        x = outputs[0]
        elements = int(np.prod(self.shape(x)))
        if 0 < elements <= 512 and self.rng.random() < 0.5:
            flat = self.builder.one(Reshape(shape=(elements,)), x, quant=self.same(x))
            name = self.weights((5, elements), 0, 5)
            logits = self.builder.one(Dense(), flat, name, self.bias(5), quant=self.quant())
            quant = Quant((1 / 256,), (-128,)) if self.integer else None
            outputs = [self.builder.one(Softmax(), logits, quant=quant), *outputs[1:]]
        return self.builder.build(outputs)


def random_graph(seed: int, integer: bool) -> Graph:
    """A verified graph of up to about ten nodes; the same seed gives the same graph."""
    maker = _Maker(seed, integer)
    for index in range(1 + int(maker.rng.random() < 0.3)):
        shape = tuple(int(n) for n in maker.rng.integers(1, 8, 3))
        dtype = "int8" if integer else "float32"
        maker.pool.append(maker.builder.input(f"x{index}", shape, dtype, maker.quant()))
    for _ in range(int(maker.rng.integers(2, LONGEST))):
        maker.step()
    return maker.finish()


def random_inputs(graph: Graph, count: int, seed: int = 0) -> list[np.ndarray]:
    """Samples for every input: all int8 values, or a normal distribution."""
    rng = np.random.default_rng(seed)
    arrays = []
    for name in graph.inputs:
        tensor = graph.tensors[name]
        shape = (count, *tensor.shape)
        arrays.append(
            rng.integers(-128, 128, shape).astype(np.int8)
            if tensor.dtype == "int8"
            else rng.normal(size=shape).astype(np.float32)
        )
    return arrays
