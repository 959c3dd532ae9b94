"""Hard swishes are recognized in every spelling."""

from __future__ import annotations

import numpy as np
import pytest
from build import Drawn
from meaning import assert_idempotent, assert_same_meaning, kinds

from netsuke import ops
from netsuke.ir import Quant
from netsuke.passes import optimize
from netsuke.passes.fuse_hard_swish import fuse_hard_swish


def number(b: Drawn, value: float) -> str:
    return b.constant("c", np.float32(value))


def spelled(b: Drawn, x: str, way: str) -> str:
    if way == "sigmoid":
        return b.one(ops.Mul(), b.one(ops.HardSigmoid(0.16666667, 0.5), x), x)
    if way == "fused clamp":
        gate = b.one(ops.Add(0.0, 6.0), number(b, 3.0), x)
    else:
        gate = b.one(ops.Clamp(0.0, 6.0), b.one(ops.Add(), x, number(b, 3.0)))
    if way == "divide the gate":
        return b.one(ops.Mul(), x, b.one(ops.Div(), gate, number(b, 6.0)))
    if way == "multiply the gate":
        return b.one(ops.Mul(), x, b.one(ops.Mul(), number(b, 1 / 6), gate))
    return b.one(ops.Div(), b.one(ops.Mul(), gate, x), number(b, 6.0))


WAYS = ["sigmoid", "fused clamp", "divide the gate", "multiply the gate", "divide the product"]


@pytest.mark.parametrize("way", WAYS)
def test_every_spelling_becomes_one_node(way: str) -> None:
    b = Drawn()
    graph = b.build([spelled(b, b.one(ops.Neg(), b.input("x", (3, 4))), way)])
    after = fuse_hard_swish(graph)
    assert kinds(after) == ["neg", "hard_swish"]
    assert_same_meaning(graph, after)
    assert_idempotent(fuse_hard_swish, graph)


@pytest.mark.parametrize("way", WAYS)
def test_the_pipeline_recognizes_it_behind_a_convolution(way: str) -> None:
    b = Drawn()
    graph = b.build([b.conv(spelled(b, b.conv(b.input("x", (6, 6, 2)), 3), way), 2)])
    after = optimize(graph)
    assert kinds(after) == ["conv2d", "hard_swish", "conv2d"]
    assert_same_meaning(graph, after)


def test_a_hard_sigmoid_alone_becomes_one_node() -> None:
    b = Drawn()
    x = b.input("x", (5,))
    gate = b.one(ops.Clamp(0.0, 6.0), b.one(ops.Add(), x, number(b, 3.0)))
    graph = b.build([b.one(ops.Div(), gate, number(b, 6.0))])
    after = fuse_hard_swish(graph)
    assert [node.op for node in after.nodes] == [ops.HardSigmoid()]
    assert_same_meaning(graph, after)


def test_other_numbers_and_integers_stay() -> None:
    b = Drawn()
    x = b.input("x", (5,))
    gate = b.one(ops.Clamp(0.0, 6.0), b.one(ops.Add(), x, number(b, 2.0)))
    graph = b.build([b.one(ops.Div(), gate, number(b, 6.0))])
    assert fuse_hard_swish(graph) is graph
    b, q = Drawn(), Quant((0.1,), (0,))
    x = b.input("x", (5,), "int8", q)
    gate = b.one(ops.HardSigmoid(), x, quant=Quant((1 / 256,), (-128,)))
    graph = b.build([b.one(ops.Mul(), x, gate, quant=q)])
    assert fuse_hard_swish(graph) is graph
