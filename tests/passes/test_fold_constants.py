"""What depends on no input is computed in advance."""

from __future__ import annotations

import numpy as np
from build import Drawn
from meaning import assert_idempotent, assert_same_meaning, kinds

from netsuke import ops
from netsuke.ir import Quant
from netsuke.passes.fold_constants import fold_constants


def test_a_chain_of_constants_becomes_one() -> None:
    b = Drawn()
    x = b.input("x", (2, 3))
    weights = b.one(ops.Transpose((1, 0)), b.one(ops.Neg(), b.weights(3, 2)))
    graph = b.build([b.one(ops.Add(), x, weights)])
    after = fold_constants(fold_constants(graph))
    assert kinds(after) == ["add"]
    assert_same_meaning(graph, after, exactly=True)
    assert_idempotent(fold_constants, fold_constants(graph))


def test_integers_are_computed_by_the_integer_meaning() -> None:
    b = Drawn()
    q = Quant((0.5,), (1,))
    x = b.input("x", (4,), "int8", q)
    c = b.one(ops.Tanh(), b.constant("c", np.array([-9, 0, 3, 99], np.int8), q), quant=q)
    graph = b.build([b.one(ops.Add(), x, c, quant=Quant((0.6,), (0,)))])
    after = fold_constants(graph)
    assert kinds(after) == ["add"]
    assert after.tensors[c].quant == q
    assert_same_meaning(graph, after, exactly=True)


def test_a_constant_does_not_grow_into_an_image() -> None:
    b = Drawn()
    image = b.one(ops.Expand((64, 64, 3)), b.weights(3))
    graph = b.build([b.one(ops.Add(), b.input("x", (64, 64, 3)), image)])
    assert fold_constants(graph) is graph
