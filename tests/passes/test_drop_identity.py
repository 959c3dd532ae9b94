"""Nodes that change nothing go."""

from __future__ import annotations

import pytest
from build import Drawn
from meaning import assert_idempotent, assert_same_meaning, kinds

from netsuke import ops
from netsuke.ir import Op, Quant
from netsuke.passes.drop_identity import drop_identity

Q = Quant((0.5,), (3,))

NOTHING: list[Op] = [
    ops.Reshape((2, 3)),
    ops.Transpose((0, 1)),
    ops.Clamp(),
    ops.Slice(((0, 2, 1), (0, 3, 1))),
    ops.Pad(((0, 0), (0, 0))),
    ops.Expand((2, 3)),
    ops.Concat(1),
    ops.Split(0, (2,)),
]


@pytest.mark.parametrize("op", NOTHING, ids=lambda op: op.kind)
def test_an_operator_that_changes_nothing_goes(op: Op) -> None:
    b = Drawn()
    x = b.one(ops.Exp(), b.input("x", (2, 3)))
    graph = b.build([b.one(ops.Neg(), b.one(op, x))])
    after = drop_identity(graph)
    assert kinds(after) == ["exp", "neg"]
    assert_same_meaning(graph, after, exactly=True)
    assert_idempotent(drop_identity, graph)


@pytest.mark.parametrize("op", [ops.Requantize(), ops.Clamp(low=-1000.0), ops.Reshape((2, 3))])
def test_an_integer_operator_that_changes_nothing_goes(op: Op) -> None:
    b = Drawn()
    x = b.one(ops.Neg(), b.input("x", (2, 3), "int8", Q), quant=Q)
    graph = b.build([b.one(ops.Neg(), b.one(op, x, quant=Q), quant=Q)])
    after = drop_identity(graph)
    assert kinds(after) == ["neg", "neg"]
    assert_same_meaning(graph, after, exactly=True)


def test_a_requantization_to_another_scale_stays() -> None:
    b = Drawn()
    x = b.one(ops.Neg(), b.input("x", (2, 3), "int8", Q), quant=Q)
    graph = b.build([b.one(ops.Requantize(), x, quant=Quant((0.25,), (3,)))])
    assert drop_identity(graph) is graph


def test_a_clamp_that_can_bind_stays() -> None:
    b = Drawn()
    x = b.one(ops.Neg(), b.input("x", (2, 3), "int8", Q), quant=Q)
    graph = b.build([b.one(ops.Clamp(low=0.0), x, quant=Q)])
    assert drop_identity(graph) is graph


def test_quantizing_what_was_dequantized_alike_goes() -> None:
    b = Drawn()
    x = b.one(ops.Neg(), b.input("x", (2, 3), "int8", Q), quant=Q)
    real = b.one(ops.Dequantize(), x)
    graph = b.build([b.one(ops.Neg(), b.one(ops.Quantize(), real, quant=Q), quant=Q)])
    after = drop_identity(graph)
    assert kinds(after) == ["neg", "neg"]
    assert_same_meaning(graph, after, exactly=True)


def test_an_output_keeps_its_name() -> None:
    b = Drawn()
    x = b.one(ops.Exp(), b.input("x", (2, 3)))
    graph = b.build([b.one(ops.Reshape((2, 3)), x, name="result")])
    after = drop_identity(graph)
    assert after.outputs == ("result",)
    assert kinds(after) == ["exp"]
    assert_same_meaning(graph, after, exactly=True)


def test_an_input_that_is_an_output_is_still_copied() -> None:
    b = Drawn()
    graph = b.build([b.one(ops.Reshape((2, 3)), b.input("x", (2, 3)), name="result")])
    assert drop_identity(graph) is graph
