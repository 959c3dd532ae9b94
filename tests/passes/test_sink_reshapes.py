"""Reshapes sink behind the operators that do not mind them."""

from __future__ import annotations

from build import Drawn
from meaning import assert_idempotent, assert_same_meaning, kinds

from netsuke import ops
from netsuke.passes.sink_reshapes import sink_reshapes


def test_a_reshape_sinks_through_elementwise_operators() -> None:
    b = Drawn()
    x = b.one(ops.Exp(), b.input("x", (1, 6, 4)))
    line = b.relu(b.one(ops.Reshape((6, 4)), x))
    line = b.batch_norm(b.one(ops.Mul(), line, b.weights(4)))
    graph = b.build([b.dense(line, 3)])
    after = sink_reshapes(graph)
    assert kinds(after) == ["exp", "clamp", "mul", "batch_norm", "dense", "reshape"]
    assert_same_meaning(graph, after)
    assert_idempotent(sink_reshapes, graph)


def test_two_reshapes_alike_sink_through_a_sum_and_a_concat() -> None:
    b = Drawn()
    x = b.input("x", (1, 6, 4))
    left = b.one(ops.Reshape((6, 4)), b.one(ops.Exp(), x))
    right = b.one(ops.Reshape((6, 4)), b.one(ops.Neg(), x))
    total = b.one(ops.Add(), left, right)
    other = b.one(ops.Reshape((6, 4)), b.one(ops.Abs(), x))
    graph = b.build([b.one(ops.Concat(1), total, other)])
    after = sink_reshapes(graph)
    assert kinds(after)[-1] == "reshape"
    assert kinds(after).count("reshape") == 1
    assert_same_meaning(graph, after)


def test_a_constant_along_another_axis_holds_a_reshape_back() -> None:
    b = Drawn()
    x = b.one(ops.Exp(), b.input("x", (2, 3, 4)))
    graph = b.build([b.one(ops.Add(), b.one(ops.Reshape((6, 4)), x), b.weights(6, 1))])
    assert sink_reshapes(graph) is graph
