"""What nothing depends on goes."""

from __future__ import annotations

from build import Drawn
from meaning import assert_idempotent, assert_same_meaning, kinds

from netsuke import ops
from netsuke.passes.drop_dead_nodes import drop_dead_nodes


def test_only_nodes_that_an_output_needs_stay() -> None:
    b = Drawn()
    x = b.input("x", (4,))
    y = b.one(ops.Exp(), x)
    b.dense(b.one(ops.Tanh(), y), 3)
    graph = b.build([y])
    after = drop_dead_nodes(graph)
    assert kinds(after) == ["exp"]
    assert set(after.tensors) == {"x", y}
    assert_same_meaning(graph, after, exactly=True)
    assert_idempotent(drop_dead_nodes, graph)


def test_an_input_that_nobody_reads_stays_an_input() -> None:
    b = Drawn()
    x = b.input("x", (4,))
    b.input("unread", (2,))
    graph = b.build([b.one(ops.Exp(), x)])
    assert drop_dead_nodes(graph) is graph
