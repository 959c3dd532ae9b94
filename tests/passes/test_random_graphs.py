"""The pipeline on random graphs: the float meaning within rounding, the integer meaning exactly."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from build import First
from meaning import assert_same_meaning, shown_inputs

from netsuke import ops
from netsuke.compress.quantize import calibrate
from netsuke.compress.quantize.assign import assign_quants
from netsuke.compress.quantize.convert import Conversion, Recipe
from netsuke.ir import Graph, verify
from netsuke.passes import optimize


class Random(First):
    """Grows a graph of up to 64 elements a tensor from a pool of tensors."""

    def __init__(self, seed: int, norms: bool) -> None:
        super().__init__(seed)
        self.norms = norms
        self.pool = [self.input("x", (3, 4, 4)), self.input("z", (4, 4, 4))]

    def pick(self, *names: str) -> str:
        choice: str = (list(names) or self.pool)[self.rng.integers(len(names or self.pool))]
        return choice

    def chance(self) -> bool:
        return bool(self.rng.integers(2))

    def axis(self, x: str) -> int:
        return int(self.rng.integers(len(self.tensors[x].shape)))

    def grow(self) -> None:
        x = self.pick()
        shape = self.tensors[x].shape
        makers: list[Callable[[str], str]] = [
            self.unary, self.binary, self.scaled, self.transposed, self.reshaped
        ]  # fmt: skip
        if shape:
            makers += [self.reduced, self.sliced, self.padded, self.joined, self.cut]
        if len(shape) == 3:
            makers += [self.spatial, self.spatial, self.spatial]
        if len(shape) in (1, 2):
            makers += [lambda x: self.dense(x, 4)]
        y = makers[self.rng.integers(len(makers))](x)
        if 0 < self.tensors[y].elements <= 128:
            self.pool.append(y)

    def unary(self, x: str) -> str:
        clamp = ops.Clamp(*self.pick_bounds())
        choices = [clamp, clamp, ops.Tanh(), ops.HardSwish(), ops.LeakyRelu(0.1), ops.Abs()]
        return self.one(choices[self.rng.integers(len(choices))], x)

    def pick_bounds(self) -> tuple[float, float]:
        return [(0.0, math.inf), (0.0, 6.0), (-1.0, 1.0), (-math.inf, math.inf)][
            self.rng.integers(4)
        ]

    def binary(self, x: str) -> str:
        shape = self.tensors[x].shape
        same = [y for y in self.pool if self.tensors[y].shape == shape]
        op = [ops.Add, ops.Sub, ops.Mul][self.rng.integers(3)](*self.pick_bounds())
        return self.one(op, x, self.pick(*same))

    def scaled(self, x: str) -> str:
        shape = self.tensors[x].shape
        kept = [extent if self.chance() else 1 for extent in shape]
        other = self.positive(*kept[int(self.rng.integers(len(kept) + 1)) :])
        return self.one([ops.Add, ops.Mul][self.rng.integers(2)](), x, other)

    def transposed(self, x: str) -> str:
        axes = self.rng.permutation(len(self.tensors[x].shape))
        return self.one(ops.Transpose(tuple(map(int, axes))), x)

    def reshaped(self, x: str) -> str:
        shape = self.tensors[x].shape
        forms = [(math.prod(shape),), (*shape, 1), (1, *shape)]
        if len(shape) > 1:
            forms += [(shape[0], math.prod(shape[1:])), (math.prod(shape[:-1]), shape[-1])]
        if len(shape) == 3 and shape[0] % 2 == 0:
            forms.append((2, shape[0] // 2, *shape[1:]))
        return self.one(ops.Reshape(forms[self.rng.integers(len(forms))]), x)

    def reduced(self, x: str) -> str:
        op = [ops.ReduceMean, ops.ReduceMax][self.rng.integers(2)]
        return self.one(op((self.axis(x),), self.chance()), x)

    def sliced(self, x: str) -> str:
        ranges = [(0, extent, 1) for extent in self.tensors[x].shape]
        axis = self.axis(x)
        extent = ranges[axis][1]
        ranges[axis] = [(extent - 1, extent, -1), (extent // 2, extent - extent // 2, 1)][
            self.rng.integers(2)
        ]
        return self.one(ops.Slice(tuple(ranges)), x)

    def padded(self, x: str) -> str:
        padding = [(0, 0)] * len(self.tensors[x].shape)
        padding[self.axis(x)] = (1, 0)
        return self.one(ops.Pad(tuple(padding)), x)

    def joined(self, x: str) -> str:
        return self.one(ops.Concat(self.axis(x)), x, x)

    def cut(self, x: str) -> str:
        axis = self.axis(x)
        extent = self.tensors[x].shape[axis]
        if extent < 2:
            return x
        pieces = self.add(ops.Split(axis, (1, extent - 1)), [x])
        return self.pick(*pieces)

    def spatial(self, x: str) -> str:
        choice = self.rng.integers(5 if self.norms else 3)
        if choice == 0:
            return self.conv(x, 4)
        if choice == 3:
            return self.batch_norm(self.conv(x, 4))
        if choice == 1:
            depth = self.tensors[x].shape[0]
            op = ops.DepthwiseConv2d(padding=((1, 1), (1, 1)))
            return self.wrapped(op, x, self.weights(3, 3, depth), self.weights(depth))
        if choice == 4:
            return self.batch_norm(x)
        pool = [ops.MaxPool2d, ops.AveragePool2d][self.rng.integers(2)]
        return self.wrapped(pool((3, 3), padding=((1, 1), (1, 1))), x)


def random_graph(seed: int, norms: bool = True) -> Graph:
    """A batch normalization alone has no integers: `norms` tells whether there are any."""
    builder = Random(seed, norms)
    for _ in range(14):
        builder.grow()
    made = [name for name in builder.pool[2:] if name not in builder.inputs]
    return builder.build(list(dict.fromkeys(made[-2:])) or [builder.unary("x")])


def in_integers(graph: Graph) -> Graph:
    """The graph quantized node for node, without any pass."""
    rows = [shown_inputs(graph, seed) for seed in range(4)]
    samples = [np.stack(values) for values in zip(*rows, strict=True)]
    statistics = calibrate(graph, samples)
    quants = assign_quants(graph, statistics, "minmax", 100.0)
    return verify(Conversion(graph, quants, statistics, Recipe("minmax", True, False)).build())


@pytest.mark.parametrize("seed", range(80))
def test_the_float_meaning_is_kept(seed: int) -> None:
    graph = random_graph(seed)
    after = optimize(graph)
    assert_same_meaning(graph, after)
    assert optimize(after) is after


@pytest.mark.parametrize("seed", range(80))
def test_the_integer_meaning_is_kept_exactly(seed: int) -> None:
    integers = in_integers(random_graph(seed, norms=False))
    assert_same_meaning(integers, optimize(integers), exactly=True)
