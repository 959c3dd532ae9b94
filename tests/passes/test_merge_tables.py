"""Functions of one int8 become one table; whatever else a value depends on keeps them apart."""

from __future__ import annotations

import numpy as np
import pytest
from meaning import assert_idempotent, assert_same_meaning, kinds

from netsuke import ops
from netsuke.ir import Graph, GraphBuilder, Quant
from netsuke.passes.merge_tables import merge_tables


class Chain(GraphBuilder):
    """A builder of elementwise int8 nodes."""

    def __init__(self, shape: tuple[int, ...] = (5, 7)) -> None:
        super().__init__()
        self.rng = np.random.default_rng(3)
        self.x = self.input("x", shape, "int8", self.quant())

    def quant(self) -> Quant:
        scale = float(np.float32(self.rng.uniform(0.02, 0.2)))
        return Quant((scale,), (int(self.rng.integers(-60, 60)),))

    def then(self, op: object, *inputs: str) -> str:
        self.x = self.one(op, self.x, *inputs, quant=self.quant())  # type: ignore[arg-type]
        return self.x

    def factor(self, *shape: int) -> str:
        data = self.rng.integers(-100, 100, shape).astype(np.int8)
        return self.constant("factor", data, self.quant())


def merged(graph: Graph) -> Graph:
    after = merge_tables(graph)
    assert_same_meaning(graph, after, exactly=True)
    assert_idempotent(merge_tables, graph)
    return after


def test_a_chain_of_functions_becomes_one_table() -> None:
    builder = Chain()
    for op in (ops.HardSigmoid(), ops.Tanh(), ops.Clamp(low=-0.5), ops.Square()):
        builder.then(op)
    assert kinds(merged(builder.build([builder.x]))) == ["table"]


def test_an_operation_with_one_number_is_a_table_even_alone() -> None:
    for op in (ops.Add(low=0.0), ops.Mul(), ops.Maximum()):
        builder = Chain()
        builder.then(op, builder.factor(1))
        assert kinds(merged(builder.build([builder.x]))) == ["table"]


def test_a_function_alone_stays_what_it_is() -> None:
    builder = Chain()
    builder.then(ops.Sigmoid())
    graph = builder.build([builder.x])
    assert merge_tables(graph) is graph


def test_a_factor_per_channel_is_no_table() -> None:
    builder = Chain()
    builder.then(ops.Mul(), builder.factor(7))
    builder.then(ops.Tanh())
    assert kinds(merged(builder.build([builder.x]))) == ["mul", "tanh"]


def test_what_others_read_is_kept() -> None:
    builder = Chain()
    middle = builder.then(ops.Tanh())
    builder.then(ops.Square())
    assert kinds(merged(builder.build([builder.x, middle]))) == ["tanh", "square"]


@pytest.mark.parametrize("elements", [7, 32, 35])
def test_requantizations_merge_where_all_elements_are_rounded_alike(elements: int) -> None:
    quants = Quant((0.25,), (3,)), Quant((1.0,), (-7,))  # ties everywhere
    builder = GraphBuilder()
    x = builder.input("x", (elements,), "int8", quants[0])
    y = builder.one(ops.Requantize(), x, quant=quants[1])
    graph = builder.build([builder.one(ops.Abs(), y, quant=quants[1])])
    after = merged(graph)
    assert kinds(after) == (["requantize", "abs"] if elements == 35 else ["table"])


def test_a_value_of_itself_twice_is_no_function_of_a_constant() -> None:
    builder = Chain()
    y = builder.one(ops.Add(), builder.x, builder.x, quant=builder.quant())
    graph = builder.build([y])
    assert merge_tables(graph) is graph


def test_real_numbers_are_left_alone() -> None:
    builder = GraphBuilder()
    x = builder.input("x", (4,))
    graph = builder.build([builder.one(ops.Tanh(), builder.one(ops.Exp(), x))])
    assert merge_tables(graph) is graph
