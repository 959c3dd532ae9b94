"""Every elementwise operator on emulated cores: integers equal the meaning, floats the host."""

from __future__ import annotations

import numpy as np
import pytest

from netsuke.codegen import compile_graph
from netsuke.devices import device
from netsuke.ir import Array, Graph, GraphBuilder, Op, Quant, interpret_batch
from netsuke.ops import (
    Abs,
    Add,
    ArgMax,
    BatchNorm,
    Clamp,
    Dequantize,
    Div,
    Exp,
    Gelu,
    Gru,
    HardSigmoid,
    HardSwish,
    LayerNorm,
    LeakyRelu,
    Log,
    LogSoftmax,
    Lstm,
    Matmul,
    Maximum,
    Minimum,
    Mul,
    Neg,
    Prelu,
    Quantize,
    ReduceMax,
    ReduceMean,
    ReduceSum,
    Requantize,
    Rsqrt,
    Sigmoid,
    Softmax,
    Sqrt,
    Square,
    Sub,
    Tanh,
)
from netsuke.verify.host import HostLibrary
from netsuke.verify.unicorn import UnicornModel

SOURCE = Quant((0.05,), (3,))


class Network:
    """A graph in which every operator stands once, in float or in int8."""

    def __init__(self, real: bool) -> None:
        self.real, self.builder = real, GraphBuilder("elementwise")
        self.rng = np.random.default_rng(0)
        self.outputs: list[str] = []

    def values(self, *shape: int) -> Array:
        return self.rng.normal(size=shape).astype(np.float32)

    def input(self, name: str, *shape: int) -> str:
        kind = {} if self.real else {"dtype": "int8", "quant": SOURCE}
        return self.builder.input(name, shape, **kind)

    def constant(self, array: Array, scale: float = 0.05) -> str:
        quant = Quant((scale,))
        if self.real:
            return self.builder.constant("c", array)
        return self.builder.constant("c", quant.quantize(array), quant)

    def add(self, op: Op, *inputs: str, scale: float = 0.04, zero: int = -7) -> str:
        kinds = op.infer([self.builder.tensors[name] for name in inputs])
        quants = [
            None if self.real or kind.dtype != "int8" else Quant((scale,), (zero,))
            for kind in kinds
        ]
        made = self.builder.add(op, inputs, quants=quants)
        self.outputs += made
        return made[0]

    def recurrent(self, op: Op, x: str, hidden: int) -> None:
        rows, features = op.gates * hidden, self.builder.tensors[x].shape[1]
        weights = [self.constant(self.values(rows, n) * 0.3, 0.01) for n in (features, hidden)]
        biases = 1 if op.gates == 4 else 2
        vectors = [rows] * biases + [hidden] * (3 - biases)
        rest = [self.builder.constant("v", self.values(n) * np.float32(0.1)) for n in vectors]
        self.add(op, x, *weights, *rest, scale=1 / 128, zero=0)

    def build(self) -> Graph:
        x, row, column = self.input("x", 4, 6, 8), self.input("r", 8), self.input("c", 4, 1, 8)
        square = self.add(Square(), x, scale=0.06, zero=-128)
        positive = self.add(Maximum(), square, self.constant(np.ones(1, np.float32), 0.01),
                            scale=0.06, zero=-128)  # fmt: skip
        for op in (Abs(), Neg(), Sigmoid(), Tanh(), HardSwish(), HardSigmoid(), Gelu(), Gelu(True),
                   Exp(), LeakyRelu(0.1), Clamp(0, 6), LogSoftmax(), ReduceMean((0, 1), True),
                   ReduceMean((2,)), ReduceSum((0,)), ReduceMax((1,)), ArgMax()):  # fmt: skip
            self.add(op, x)
        for axis in (-1, 0):
            self.add(Softmax(axis), x, scale=1 / 256, zero=-128)
        for op in (Log(), Sqrt(), Rsqrt()):
            self.add(op, positive)
        for op in (Add(), Sub(), Mul(), Minimum()):
            self.add(op, x, row)
            self.add(op, column, x)
        self.add(Div(), x, positive)
        self.add(Prelu(), x, self.constant(self.values(8)))
        self.add(Matmul(), x, self.constant(self.values(8, 5)))
        vectors = [self.builder.constant("p", np.abs(self.values(8)) + 0.1) for _ in range(4)]
        self.add(BatchNorm(), x, *vectors)
        self.add(LayerNorm(), x, *vectors[:2])
        for op in (Lstm(), Gru(), Gru(reset_after=True)):
            self.recurrent(op, self.input("t", 5, 8), 6)
        if not self.real:
            self.add(Quantize(), self.add(Dequantize(), x))
            self.add(Requantize(), row)
        return self.builder.build(self.outputs)


@pytest.mark.parametrize(
    ("real", "board"),
    [(True, "nucleo-f446re"), (False, "rpi-pico"), (True, "rpi-pico"), (False, "nucleo-f446re")],
    ids=["float, Cortex-M4F", "int8, Cortex-M0+", "float, Cortex-M0+", "int8, Cortex-M4F"],
)
def test_every_operator_runs_on_an_emulated_core(real, board) -> None:
    graph, rng = Network(real).build(), np.random.default_rng(1)
    feeds = []
    for name in graph.inputs:
        shape = (2, *graph.tensors[name].shape)
        stored = rng.integers(-128, 128, shape).astype(np.int8)
        feeds.append(rng.normal(size=shape).astype(np.float32) if real else stored)
    artifact = compile_graph(graph, device(board))
    emulated = UnicornModel(artifact).run(*feeds)
    on_host = HostLibrary(artifact).run(*feeds)
    meaning = interpret_batch(graph, *feeds)
    for name, core, host, wanted in zip(graph.outputs, emulated, on_host, meaning, strict=True):
        np.testing.assert_array_equal(core.view(np.int8), host.view(np.int8), name)
        if wanted.dtype == np.float32:
            np.testing.assert_allclose(core, wanted, rtol=2e-5, atol=2e-5, err_msg=name)
        else:
            np.testing.assert_array_equal(core, wanted, name)
