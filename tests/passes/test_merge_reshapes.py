"""One reshape instead of several."""

from __future__ import annotations

from build import Drawn
from meaning import assert_idempotent, assert_same_meaning

from netsuke import ops
from netsuke.passes.merge_reshapes import merge_reshapes


def test_a_reshape_of_a_reshape_reads_the_source() -> None:
    b = Drawn()
    x = b.one(ops.Exp(), b.input("x", (2, 3, 4)))
    middle = b.one(ops.Reshape((24,)), b.one(ops.Reshape((6, 4)), x))
    graph = b.build([b.one(ops.Neg(), b.one(ops.Reshape((4, 6)), middle))])
    after = merge_reshapes(graph)
    assert [node.op.kind for node in after.nodes] == ["exp", "reshape", "neg"]
    assert_same_meaning(graph, after, exactly=True)
    assert_idempotent(merge_reshapes, graph)
