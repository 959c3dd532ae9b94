"""Plans are valid, small, and say truthfully when they are minimal."""

from __future__ import annotations

import importlib.util
import itertools
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plan_runs import replay
from random_graphs import random_graph

from netsuke.devices import Device, Region, device
from netsuke.errors import DoesNotFitError
from netsuke.ir import Graph, GraphBuilder, Quant
from netsuke.ops import Add, Clamp, Concat, Conv2d, Exp, Neg, Reshape, Split
from netsuke.schedule import plan
from netsuke.schedule.buffer import Buffer
from netsuke.schedule.offsets import Layout, lay_out, lowest_gap
from netsuke.schedule.order import best_order

BOARD = device("nucleo-f446re")
INT8 = Quant((0.1,), (0,))


@pytest.mark.parametrize("integer", [False, True])
@pytest.mark.parametrize("seed", range(60))
def test_no_buffer_is_overwritten_while_it_is_needed(seed: int, integer: bool) -> None:
    planned = plan(random_graph(seed, integer), BOARD)
    replay(planned)
    assert planned.arena >= planned.lower_bound or len(planned.arenas) > 1


def brute_force(buffers: list[Buffer]) -> int:
    """The smallest layout, from first-fit over every permutation."""
    best = 1 << 60
    for order in itertools.permutations(buffers):
        placed: list[tuple[int, Buffer]] = []
        for buffer in order:
            placed.append((lowest_gap(buffer, placed), buffer))
        offsets = {buffer.name: offset for offset, buffer in placed}
        best = min(best, max(offsets[b.name] + b.size for b in buffers))
    return best


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 12), st.integers(0, 6), st.integers(0, 4)), min_size=1, max_size=6
    )
)
def test_layouts_that_claim_to_be_minimal_are_minimal(rows: list[tuple[int, int, int]]) -> None:
    check_layout([Buffer(f"b{i}", 4 * s, a, a + n) for i, (s, a, n) in enumerate(rows)])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 6), st.lists(st.integers(1, 12), min_size=1, max_size=4)),
        min_size=1,
        max_size=6,
    )
)
def test_buffers_that_change_their_size_are_laid_out_as_well(
    rows: list[tuple[int, list[int]]],
) -> None:
    buffers = []
    for index, (start, sizes) in enumerate(rows):
        runs = tuple((start + i, start + i, 0, 4 * size) for i, size in enumerate(sizes))
        buffers.append(Buffer(f"b{index}", 4 * max(sizes), start, runs[-1][1], runs))
    layout = check_layout(buffers)
    for a, b in itertools.combinations(buffers, 2):
        low, high = sorted((a, b), key=lambda buffer: layout.offsets[buffer.name])
        apart = layout.offsets[high.name] - layout.offsets[low.name]
        assert all(low.at(step) <= apart for step in range(12) if high.at(step))
    if importlib.util.find_spec("ortools"):
        from netsuke.schedule.solver import solve

        assert solve(buffers, lay_out(buffers, nodes=0)).size == layout.size


def check_layout(buffers: list[Buffer]) -> Layout:
    layout = lay_out(buffers)
    assert layout.size >= layout.lower_bound
    assert layout.optimal
    assert layout.size == brute_force(buffers)
    return layout


@pytest.mark.parametrize("seed", range(5))
def test_the_solver_agrees_with_our_own_search_and_finishes_what_it_could_not(seed: int) -> None:
    pytest.importorskip("ortools", reason="left out: OR-Tools is not installed")
    from netsuke.schedule.solver import solve

    rng = np.random.default_rng(seed)
    starts = rng.integers(0, 12, 14)
    ends = starts + rng.integers(0, 5, 14)
    buffers = [
        Buffer(f"b{i}", int(4 * rng.integers(1, 40)), int(a), int(b))
        for i, (a, b) in enumerate(zip(starts, ends, strict=True))
    ]
    hurried, patient = lay_out(buffers, nodes=0), lay_out(buffers, nodes=200_000)
    solved = solve(buffers, hurried)
    assert solved.optimal and solved.size <= hurried.size
    assert not patient.optimal or solved.size == patient.size
    for i, a in enumerate(buffers):
        for b in buffers[:i]:
            if a.start <= b.end and b.start <= a.end:
                low, high = sorted((a, b), key=lambda buffer: solved.offsets[buffer.name])
                assert solved.offsets[low.name] + low.size <= solved.offsets[high.name]


def diamond(width: int) -> Graph:
    """Branches that shrink: run one after another they need little, side by side much."""
    builder = GraphBuilder("diamond")
    x = builder.input("x", (64,))
    ends = []
    for index in range(width):
        grown = builder.one(Concat(axis=0), x, x, x, x, name=f"grown{index}")
        parts = builder.add(Split(axis=0, sizes=(64, 192)), [grown])
        ends.append(builder.one(Exp(), parts[0], name=f"end{index}"))
    total = ends[0]
    for end in ends[1:]:
        total = builder.one(Add(), total, end)
    return builder.build([total])


def test_the_order_search_beats_a_breadth_first_order() -> None:
    graph = diamond(4)
    stages = sorted(
        graph.nodes,
        key=lambda n: ("grown" not in n.name, "split" not in n.name, "end" not in n.name),
    )
    wide = replace(graph, nodes=tuple(stages))
    assert plan(wide, BOARD).arena < 0.6 * sum(graph.tensors[f"grown{i}"].size for i in range(4))
    assert best_order(wide, {}).optimal


def fan(branches: int, depth: int) -> Graph:
    """Branches side by side, all of their first nodes first, that are added two by two."""
    builder = GraphBuilder("fan")
    ends = [builder.input("x", (256,))] * branches
    for _ in range(depth):
        ends = [builder.one(Exp(), end) for end in ends]
    while len(ends) > 1:
        ends = [builder.one(Add(), a, b) for a, b in zip(ends[::2], ends[1::2], strict=True)]
    return builder.build(ends)


def test_an_order_beyond_proof_is_still_searched() -> None:
    graph = fan(64, 3)
    order = best_order(graph, {})
    assert not order.optimal
    assert sorted(n.name for n in order.nodes) == sorted(n.name for n in graph.nodes)
    assert plan(graph, BOARD).arena <= 9 * 1024  # the graph's own order: 64 KiB


def test_thousands_of_nodes_and_buffers_are_planned_without_a_deep_recursion() -> None:
    planned = plan(fan(256, 3), BOARD)
    assert planned.arena <= 12 * 1024
    replay(planned)
    generator = Random(1)
    buffers = []
    for index in range(1200):
        start, size = generator.randrange(1200), 4 * generator.randint(1, 300)
        buffers.append(Buffer(f"b{index}", size, start, start + generator.randint(1, 8)))
    layout = lay_out(buffers)
    assert layout.lower_bound <= layout.size < 1.1 * layout.lower_bound
    assert layout.optimal == (layout.size == layout.lower_bound)


def test_reshape_concat_and_split_need_no_calls() -> None:
    builder = GraphBuilder("views")
    a, b = builder.input("a", (2, 4)), builder.input("b", (2, 4))
    ea, eb = builder.one(Exp(), a), builder.one(Exp(), b)
    joined = builder.one(Concat(axis=0), ea, eb)
    flat = builder.one(Reshape(shape=(16,)), joined)
    first, second = builder.add(Split(axis=0, sizes=(8, 8)), [flat])
    graph = builder.build([builder.one(Add(), first, second)])
    planned = plan(graph, BOARD)
    assert [step.node.op.kind for step in planned.steps if step.kernel] == ["exp", "exp", "add"]
    replay(planned)


def test_an_input_given_twice_to_concat_is_copied() -> None:
    builder = GraphBuilder("twice")
    x = builder.input("x", (4,))
    graph = builder.build([builder.one(Concat(axis=0), x, x)])
    planned = plan(graph, BOARD)
    assert planned.steps[0].kernel is not None
    replay(planned)


def test_an_in_place_chain_takes_one_buffer() -> None:
    builder = GraphBuilder("chain")
    name = builder.input("x", (100,))
    for _ in range(3):
        name = builder.one(Clamp(low=0.0), name)
    assert plan(builder.build([name]), BOARD).arena == 400


def pointwise(builder: GraphBuilder, x: str, channels: int, outputs: int) -> str:
    """Add a 1 x 1 convolution of int8."""
    rng = np.random.default_rng(outputs)
    weights = rng.integers(-9, 9, (outputs, 1, 1, channels)).astype(np.int8)
    w = builder.constant(f"w{x}", weights, Quant((0.1,) * outputs, (0,) * outputs, axis=0))
    b = builder.constant(f"b{x}", np.zeros(outputs, np.int32))
    return builder.one(Conv2d(), x, w, b, quant=INT8)


def test_a_buffer_grows_and_shrinks_with_what_is_in_it() -> None:
    builder = GraphBuilder("growing")
    x = builder.input("x", (8, 8, 4), "int8", INT8)
    for channels, outputs in itertools.pairwise((4, 8, 16, 4, 12)):
        x = pointwise(builder, x, channels, outputs)
    planned = plan(builder.build([x]), BOARD)
    assert planned.arena == 8 * 8 * 16
    assert planned.optimal
    assert [step.live for step in planned.steps] == [64 * c for c in (8, 16, 16, 12)]
    replay(planned)


def test_an_output_does_not_grow_over_what_still_lives() -> None:
    builder = GraphBuilder("neighbours")
    x = builder.input("x", (16, 4, 4), "int8", INT8)
    first, second = builder.add(Split(axis=0, sizes=(8, 8)), [x], quants=[INT8, INT8])
    grown = pointwise(builder, first, 4, 8)
    planned = plan(builder.build([grown, builder.one(Neg(), second, quant=INT8)]), BOARD)
    assert planned.arena > 8 * 4 * (4 + 4)
    replay(planned)


def test_parts_of_a_concat_may_have_shrunk_if_nothing_lives_where_they_reached() -> None:
    builder = GraphBuilder("shrunk")
    parts = []
    for index in range(3):
        x = builder.input(f"x{index}", (4, 4, 8), "int8", INT8)
        parts.append(pointwise(builder, x, 8, 4))
    graph = builder.build([builder.one(Concat(axis=0), *parts, quant=INT8)])
    replay(plan(graph, BOARD))


def test_a_second_reader_forbids_working_in_place() -> None:
    builder = GraphBuilder("shared")
    x = builder.input("x", (100,))
    y = builder.one(Clamp(low=0.0), x)
    z = builder.one(Add(), x, y)
    planned = plan(builder.build([z]), BOARD)
    assert planned.arena == 800
    replay(planned)


def small(*sizes: int) -> Device:
    regions = tuple(Region(f"ram{i}", "ram", s, ("arena",)) for i, s in enumerate(sizes))
    return Device("small", "small", "cortex-m4", frozenset(), 1e6, regions)


def test_buffers_spread_over_regions_when_no_region_is_large_enough() -> None:
    builder = GraphBuilder("spread")
    a, b = builder.input("a", (100,)), builder.input("b", (100,))
    graph = builder.build([builder.one(Add(), a, b)])
    planned = plan(graph, small(400, 400))
    assert sorted(planned.arenas.values()) == [400, 400]
    planned.require_fit(small(400, 400))
    replay(planned)


def test_a_plan_that_does_not_fit_names_memory_bytes_and_node() -> None:
    builder = GraphBuilder("large")
    a, b = builder.input("a", (100,)), builder.input("b", (100,))
    graph = builder.build([builder.one(Add(), a, b, name="sum")])
    with pytest.raises(DoesNotFitError) as caught:
        plan(graph, small(500)).require_fit(small(500))
    assert (caught.value.needed, caught.value.available) == (800, 500)
    assert caught.value.culprit == "sum"
    assert "800" in str(caught.value) and "netsuke fit" in str(caught.value)
