"""The same thing is computed once."""

from __future__ import annotations

from build import Drawn
from meaning import assert_idempotent, assert_same_meaning, kinds

from netsuke import ops
from netsuke.passes.merge_common import merge_common


def test_equal_nodes_and_equal_constants_merge() -> None:
    b = Drawn()
    x = b.input("x", (4,))
    c, d = b.constant("c", [1.0, 2.0, 3.0, 4.0]), b.constant("d", [1.0, 2.0, 3.0, 4.0])
    left, right = b.one(ops.Add(), x, c), b.one(ops.Add(), x, d)
    graph = b.build([b.one(ops.Mul(), b.one(ops.Exp(), left), b.one(ops.Exp(), right))])
    after = merge_common(graph)
    assert kinds(after) == ["add", "exp", "mul"]
    assert_same_meaning(graph, after, exactly=True)
    assert_idempotent(merge_common, graph)


def test_equal_outputs_both_stay() -> None:
    b = Drawn()
    x = b.input("x", (4,))
    graph = b.build([b.one(ops.Exp(), x), b.one(ops.Exp(), x)])
    assert_same_meaning(graph, merge_common(graph), exactly=True)


def test_an_output_merges_with_an_inner_node() -> None:
    b = Drawn()
    x = b.input("x", (4,))
    inner, outer = b.one(ops.Exp(), x), b.one(ops.Exp(), x)
    graph = b.build([b.one(ops.Neg(), inner), outer])
    after = merge_common(graph)
    assert kinds(after) == ["exp", "neg"]
    assert_same_meaning(graph, after, exactly=True)
