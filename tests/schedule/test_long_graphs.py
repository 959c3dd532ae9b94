"""Graphs of hundreds of nodes are planned without trying every kernel of every node."""

from __future__ import annotations

import numpy as np
import pytest

from netsuke.devices import device
from netsuke.ir import Graph, GraphBuilder, Quant
from netsuke.ops import Conv2d
from netsuke.schedule import choose, plan, stream
from netsuke.schedule.plan import kernels_of
from netsuke.schedule.tied import Kernels

BOARD = device("nucleo-f446re")
INT8 = Quant((0.05,), (3,))
LENGTH = choose.LONG + 20


def chain(length: int) -> Graph:
    """3 x 3 convolutions of one size, so that no step is higher than the others."""
    rng = np.random.default_rng(0)
    builder = GraphBuilder("chain")
    x = builder.input("x", (8, 8, 4), "int8", INT8)
    for _ in range(length):
        weights = rng.integers(-127, 128, (4, 3, 3, 4)).astype(np.int8)
        w = builder.constant("w", weights, Quant((0.01,) * 4, (0,) * 4, 0))
        b = builder.constant("b", rng.integers(-500, 500, 4).astype(np.int32))
        x = builder.one(Conv2d(padding=((1, 1), (1, 1))), x, w, b, quant=INT8)
    return builder.build([x])


def test_steps_as_high_as_each_other_are_not_lowered_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    judged = 0
    real = choose._judge

    def judge(*arguments: object) -> choose.Choice:
        nonlocal judged
        judged += 1
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(choose, "_judge", judge)
    assert plan(chain(LENGTH), BOARD, stripes=False).arena == plan(chain(3), BOARD).arena
    assert judged < LENGTH


def test_trials_end_when_patience_does(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = chain(12)
    frugal = plan(graph, BOARD, stripes=False)
    monkeypatch.setattr(choose, "PATIENCE", 0)
    hasty = plan(graph, BOARD, stripes=False)
    assert hasty.arena > frugal.arena


def test_the_largest_gains_come_first_where_not_all_are_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    graph = chain(4)
    kernels = {node.name: kernels_of(graph, node, BOARD) for node in graph.nodes}
    slow = {n: max(found, key=lambda k: k.instructions) for n, found in kernels.items()}
    monkeypatch.setattr(choose, "PATIENCE", 2 * len(graph.nodes))
    chosen = choose.fastest(graph, graph.nodes, kernels, slow, 1 << 20)
    assert sum(chosen[name] is not slow[name] for name in slow) == 2


def test_parts_of_a_long_graph_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = chain(LENGTH)
    kernels = {node.name: kernels_of(graph, node, BOARD) for node in graph.nodes}
    start = {name: found[0] for name, found in kernels.items()}
    tried: list[int] = []
    monkeypatch.setattr(
        stream.Streaming, "_striped", lambda self, first, end: tried.append(end - first) or []
    )
    make = Kernels(lambda graph, node: kernels_of(graph, node, BOARD))
    stream.Streaming(graph, graph.nodes, kernels, make, start).pieces(0)
    assert 0 < len(tried) <= stream.PARTS
    assert 1 < max(tried) < stream.LONGEST
