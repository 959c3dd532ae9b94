"""Each operator between two dense layers is quantized well, or named as having no integers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from netsuke import ops
from netsuke.compress.quantize import compare, quantize
from netsuke.ir import GraphBuilder, Op

RNG = np.random.default_rng(11)
SHAPE = (4, 6, 8)


def drawn(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


SERVED: list[tuple[Op, Sequence[np.ndarray]]] = [
    (ops.Conv2d(padding=((1, 1), (1, 1)), groups=2), [drawn(6, 3, 3, 4), drawn(6)]),
    (ops.DepthwiseConv2d(low=0.0), [drawn(3, 3, 16), drawn(16)]),
    (ops.TransposedConv2d((2, 2)), [drawn(5, 3, 3, 8), drawn(5)]),
    (ops.Dense(), [drawn(7, 8), drawn(7)]),
    (ops.MaxPool2d((2, 2)), []),
    (ops.AveragePool2d((2, 3)), []),
    (ops.Resize((8, 9)), []),
    (ops.Resize((8, 9), "bilinear", "half_pixel"), []),
    (ops.ChannelShuffle(4), []),
    (ops.Concat(1), [drawn(4, 2, 8)]),
    (ops.Split(2, (3, 5)), []),
    (ops.Slice(((0, 2, 2), (5, 6, -1), (0, 8, 1))), []),
    (ops.Pad(((1, 0), (0, 2), (0, 0))), []),
    (ops.Pad(((1, 0), (0, 2), (0, 0)), mode="reflect"), []),
    (ops.Reshape((24, 8)), []),
    (ops.Transpose((2, 0, 1)), []),
    (ops.Gather(1), [np.array([3, 0], np.int64)]),
    (ops.Expand((4, 6, 8)), []),
    (ops.Add(), [drawn(8)]),
    (ops.Sub(), [drawn(6, 1)]),
    (ops.Mul(), [drawn(4, 6, 8)]),
    (ops.Div(), [np.abs(drawn(8)) + 1.0]),
    (ops.Minimum(), [drawn(8)]),
    (ops.Maximum(), [drawn(8)]),
    (ops.Clamp(-0.5, 6.0), []),
    (ops.LeakyRelu(0.1), []),
    (ops.Prelu(), [np.abs(drawn(8))]),
    (ops.HardSwish(), []),
    (ops.HardSigmoid(), []),
    (ops.Sigmoid(), []),
    (ops.Tanh(), []),
    (ops.Gelu(), []),
    (ops.Exp(), []),
    (ops.Square(), []),
    (ops.Abs(), []),
    (ops.Neg(), []),
    (ops.Softmax(), []),
    (ops.LogSoftmax(), []),
    (ops.BatchNorm(), [drawn(8), drawn(8), drawn(8), np.abs(drawn(8))]),
    (ops.LayerNorm(), [drawn(8), drawn(8)]),
    (ops.ReduceMean((0, 1)), []),
    (ops.ReduceMax((2,)), []),
    (ops.ReduceSum((1,)), []),
]


@pytest.mark.parametrize(("op", "constants"), SERVED, ids=lambda value: getattr(value, "kind", ""))
def test_an_operator_survives(op: Op, constants: Sequence[np.ndarray]) -> None:
    b = GraphBuilder()
    x = b.one(
        ops.Dense(), b.input("x", SHAPE), b.constant("w", drawn(8, 8)), b.constant("b", drawn(8))
    )
    outputs = b.add(op, [x, *(b.constant("c", constant) for constant in constants)])
    graph = b.build(outputs)
    samples = RNG.normal(size=(16, *SHAPE)).astype(np.float32)
    integers = quantize(graph, samples)
    activations = [tensor for tensor in integers.tensors.values() if not tensor.is_constant]
    assert "float32" not in {tensor.dtype for tensor in activations}
    assert min(compare(graph, integers, samples).outputs.values()) > 20.0


def test_the_position_of_the_maximum_stays_an_integer() -> None:
    b = GraphBuilder()
    x = b.one(
        ops.Dense(), b.input("x", (6,)), b.constant("w", drawn(5, 6)), b.constant("b", drawn(5))
    )
    graph = b.build([b.one(ops.ArgMax(), x)])
    samples = RNG.normal(size=(40, 6)).astype(np.float32)
    integers = quantize(graph, samples)
    assert integers.tensors[integers.outputs[0]].dtype == "int32"
    assert integers.outputs[0] not in integers.ports
    assert compare(graph, integers, samples).agreement == {integers.outputs[0]: 1.0}


def test_two_activations_multiply_as_matrices() -> None:
    b = GraphBuilder()
    left, right = b.input("left", (4, 8)), b.input("right", (8, 3))
    graph = b.build([b.one(ops.Matmul(), left, right)])
    samples = (
        RNG.normal(size=(16, 4, 8)).astype(np.float32),
        RNG.normal(size=(16, 8, 3)).astype(np.float32),
    )
    assert min(compare(graph, quantize(graph, samples), samples).outputs.values()) > 25.0


def test_recurrent_layers_survive() -> None:
    b = GraphBuilder()
    x = b.input("x", (12, 5))
    zero = [b.constant("h", np.zeros(6, np.float32)), b.constant("c", np.zeros(6, np.float32))]
    weights = [b.constant("w", drawn(*shape) * 0.5) for shape in ((24, 5), (24, 6), (24,))]
    y, _, _ = b.add(ops.Lstm(), [x, *weights, *zero])
    weights = [b.constant("w", drawn(*shape) * 0.5) for shape in ((18, 6), (18, 6), (18,), (18,))]
    _, h = b.add(ops.Gru(), [y, *weights, zero[0]])
    graph = b.build([h])
    samples = RNG.normal(size=(16, 12, 5)).astype(np.float32)
    assert min(compare(graph, quantize(graph, samples), samples).outputs.values()) > 20.0
