"""Between which values tensors lie: no input leaves the range, and some input reaches its ends."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from netsuke import ops
from netsuke.ir import Array, Graph, GraphBuilder, Op, Quant, Range, interpret, possible_range

sys.path.insert(0, str(Path(__file__).parents[1]))
from random_graphs import random_graph, random_inputs


def ranges_of(graph: Graph) -> dict[str, Range]:
    known = {name: possible_range(tensor) for name, tensor in graph.tensors.items()}
    for node in graph.nodes:
        given = [known[name] for name in node.inputs]
        found = node.op.value_ranges(graph.in_of(node), graph.out_of(node), given)
        known.update(zip(node.outputs, found or (), strict=found is not None))
    return known


@pytest.mark.parametrize("integer", [True, False])
@pytest.mark.parametrize("seed", range(60))
def test_no_value_of_a_random_graph_leaves_its_range(seed: int, integer: bool) -> None:
    graph = random_graph(seed, integer)
    known = ranges_of(graph)

    def observe(name: str, value: Array) -> None:
        low, high = known[name].low, known[name].high
        slack = 0 if integer else 1e-4 * (1 + np.abs(value))
        assert np.broadcast_shapes(low.shape, value.shape) == value.shape
        assert (value >= low - slack).all() and (value <= high + slack).all(), name

    for sample in zip(*random_inputs(graph, 4, seed), strict=True):
        feeds = dict(zip(graph.inputs, sample, strict=True))
        interpret(graph, feeds, observe)
        interpret(graph, {name: np.sign(value) * 127 for name, value in feeds.items()}, observe)


def only(op: Op, shape: tuple[int, ...], *constants: Array, quant: Quant) -> tuple[Graph, Range]:
    """A graph of one operator on int8, and the range of its output."""
    builder = GraphBuilder()
    x = builder.input("x", shape, "int8", Quant((0.1,), (3,)))
    weights = [Quant((0.02,))] + [None] * len(constants)
    names = [builder.constant("c", c, q) for c, q in zip(constants, weights, strict=False)]
    y = builder.one(op, x, *names, quant=quant)
    graph = builder.build([y])
    return graph, ranges_of(graph)[y]


def test_the_ends_of_a_convolution_are_reached() -> None:
    rng = np.random.default_rng(0)
    weights = rng.integers(-99, 99, (5, 2, 2, 3)).astype(np.int8)
    bias = rng.integers(-999, 999, 5).astype(np.int32)
    quant = Quant((3.0,), (11,))
    graph, known = only(ops.Conv2d(), (2, 2, 3), weights, bias, quant=quant)
    for channel in range(5):
        for side, end in ((1, known.high), (-1, known.low)):
            x = np.where(side * weights[channel] > 0, 127, -128).astype(np.int8)
            (y,) = interpret(graph, {"x": x}).values()
            assert y[0, 0, channel] == end[channel]


def test_a_border_is_within_the_range_of_a_convolution() -> None:
    weights, bias = np.full((1, 3, 3, 1), 50, np.int8), np.zeros(1, np.int32)
    op = ops.Conv2d(padding=((1, 1), (1, 1)), low=0.0)
    builder = GraphBuilder()
    x = builder.input("x", (2, 2, 1), "int8", Quant((0.1,), (-100,)))
    op_low = ops.Clamp(low=5.0)
    y = builder.one(op_low, x, quant=Quant((0.1,), (-100,)))
    names = builder.constant("w", weights, Quant((0.02,))), builder.constant("b", bias)
    z = builder.one(op, y, *names, quant=Quant((1.0,), (-128,)))
    graph = builder.build([z])
    assert ranges_of(graph)[y].low == -50
    assert ranges_of(graph)[z].low == -128, "each tap may see the border"


def test_a_function_that_turns_is_followed_between_its_ends() -> None:
    quant = Quant((0.1,), (0,))
    _, known = only(ops.Square(), (4,), quant=quant)
    assert (known.low, known.high) == (0, 127)


def test_a_rescaling_that_rounds_by_place_says_nothing() -> None:
    ties = Quant((0.4,), (0,))
    _, known = only(ops.Requantize(), (20,), quant=ties)
    assert (known.low, known.high) == (-128, 127)
    op = ops.Requantize()
    graph, _ = only(op, (20,), quant=ties)
    (node,) = graph.nodes
    given = [possible_range(tensor) for tensor in graph.in_of(node)]
    assert op.value_ranges(graph.in_of(node), graph.out_of(node), given) is None


def test_divisions_are_known_only_where_both_sides_are() -> None:
    builder = GraphBuilder()
    x = builder.input("x", (2,))
    one = builder.one(ops.Mul(), x, builder.constant("c", np.array([0.0, 1.0], np.float32)))
    top = builder.constant("t", np.array([3.0, 3.0], np.float32))
    shifted = builder.one(ops.Add(), one, top)
    y = builder.one(ops.Div(), top, shifted)
    known = ranges_of(builder.build([y]))[y]
    assert known.low[0] == known.high[0] == 1.0
    assert known.low[1] < -1e38 and known.high[1] > 1e38


def test_a_slope_below_zero_does_not_hide_the_zero_between() -> None:
    builder = GraphBuilder()
    x = builder.one(ops.Clamp(-1.0, 1.0), builder.input("x", (2,)))
    y = builder.one(ops.Prelu(), x, builder.constant("s", np.array([-2.0, -3.0], np.float32)))
    known = ranges_of(builder.build([y]))[y]
    assert (known.low <= 0.0).all() and (known.high >= 3.0).all()
