"""Clamps become part of the layer before them."""

from __future__ import annotations

import numpy as np
import pytest
from build import Drawn
from meaning import assert_idempotent, assert_same_meaning, kinds

from netsuke import ops
from netsuke.ir import Quant
from netsuke.passes.fuse_activation import fuse_activation
from netsuke.passes.linear import bounds


def test_a_clamp_fuses_into_every_layer_that_can() -> None:
    b = Drawn()
    x = b.input("x", (6, 6, 4))
    y = b.relu(b.conv(x, 4, padding=((1, 1), (1, 1))))
    z = b.one(ops.Clamp(0.0, 0.5), b.one(ops.Add(), y, x))
    p = b.one(ops.Clamp(0.1, 0.3), b.one(ops.AveragePool2d((2, 2)), z))
    graph = b.build([b.one(ops.Clamp(-1.0, 1.0), b.dense(p, 3))])
    after = fuse_activation(graph)
    assert kinds(after) == ["conv2d", "add", "average_pool2d", "dense"]
    assert bounds(after.nodes[1].op) == (0.0, 0.5)
    assert_same_meaning(graph, after)
    assert_idempotent(fuse_activation, graph)


def test_a_clamp_moves_through_max_pooling() -> None:
    b = Drawn()
    pooled = b.one(ops.MaxPool2d((2, 2), (2, 2)), b.conv(b.input("x", (6, 6, 4)), 4))
    graph = b.build([b.relu(pooled)])
    after = fuse_activation(graph)
    assert kinds(after) == ["conv2d", "max_pool2d"]
    assert_same_meaning(graph, after)


@pytest.mark.parametrize(
    ("first", "second", "result"),
    [
        ((0.0, 6.0), (-1.0, 1.0), (0.0, 1.0)),
        ((0.0, 1.0), (2.0, 3.0), (2.0, 2.0)),
        ((2.0, 3.0), (0.0, 1.0), (1.0, 1.0)),
    ],
)
def test_two_clamps_compose(
    first: tuple[float, float], second: tuple[float, float], result: tuple[float, float]
) -> None:
    b = Drawn()
    x = b.one(ops.Clamp(*first), b.input("x", (9,)))
    graph = b.build([b.one(ops.Clamp(*second), x)])
    after = fuse_activation(graph)
    assert [bounds(node.op) for node in after.nodes] == [result]
    assert_same_meaning(graph, after, exactly=True)


@pytest.mark.parametrize("same", [True, False])
def test_an_integer_clamp_fuses_only_with_one_quantization(same: bool) -> None:
    b = Drawn()
    q, w, r = Quant((0.1,), (17,)), Quant((0.01,)), Quant((0.03,), (-5,))
    kernel = b.constant("w", b.rng.integers(-127, 128, (5, 7)).astype(np.int8), w)
    bias = b.constant("b", np.arange(5, dtype=np.int32), Quant((0.001,), bits=32))
    y = b.one(ops.Dense(), b.input("x", (7,), "int8", q), kernel, bias, quant=r)
    target = r if same else Quant((0.02,), (-128,))
    graph = b.build([b.one(ops.Clamp(0.0, 0.9), y, quant=target)])
    after = fuse_activation(graph)
    assert kinds(after) == (["dense"] if same else ["dense", "clamp"])
    assert_same_meaning(graph, after, exactly=True)


def test_a_layer_that_others_read_unclamped_stays() -> None:
    b = Drawn()
    y = b.dense(b.input("x", (4,)), 3)
    z = b.dense(b.relu(y), 3)
    graph = b.build([b.one(ops.Exp(), y), b.relu(z), z])
    assert fuse_activation(graph) is graph
