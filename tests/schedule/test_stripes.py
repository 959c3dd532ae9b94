"""Graphs in stripes keep every bit, lie where nothing is overwritten, and take the RAM they say."""

from __future__ import annotations

import itertools
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
import pytest
from image_graphs import image_graph
from plan_runs import Replay, replay, run_plan
from random_graphs import random_inputs

from netsuke.codegen import compile_graph
from netsuke.devices import device
from netsuke.errors import DoesNotFitError
from netsuke.frontend import load
from netsuke.ir import Graph, GraphBuilder, Quant, interpret, interpret_batch
from netsuke.ops import Add, Conv2d, Slice
from netsuke.passes import optimize
from netsuke.schedule import Plan, plan
from netsuke.schedule.patches import patches
from netsuke.schedule.plan import kernels_of
from netsuke.schedule.striped import rewrite
from netsuke.schedule.stripes import Stripes, stripes

BOARD = device("nucleo-f446re")
INT8 = Quant((0.1,), (0,))


def closed_parts(graph: Graph) -> list[tuple[int, int]]:
    """(first, end) of every run of nodes of which only the last is read by others."""
    readers, found = graph.consumers(), []
    for first in range(len(graph.nodes)):
        for end in range(first + 1, len(graph.nodes) + 1):
            names = {node.name for node in graph.nodes[first:end]}
            inner = [node.name for node in graph.nodes[first : end - 1]]
            if all(
                {r.name for r in readers[name]} <= names and name not in graph.outputs
                for name in inner
            ):
                found.append((first, end))
    return found


def random_parts(graph: Graph, seed: int) -> list[Stripes]:
    """Disjoint parts in stripes of random heights."""
    rng, parts, free = Random(seed), [], 0
    options = closed_parts(graph)
    rng.shuffle(options)
    for first, end in sorted(options[:4]):
        rows = graph.tensors[graph.nodes[end - 1].name].shape[0]
        part = stripes(graph, graph.nodes[first:end], rng.randint(1, max(1, rows // 2)))
        if first >= free and part is not None:
            parts.append(part)
            free = end
    return parts


@pytest.mark.parametrize("integer", [True, False], ids=["int8", "float"])
def test_the_graph_in_stripes_means_the_same(integer: bool) -> None:
    cut = 0
    for seed in range(120):
        graph = image_graph(seed, integer)
        parts = random_parts(graph, seed)
        striped = rewrite(graph, graph.nodes, parts).graph
        cut += sum(part.count for part in parts)
        arrays = random_inputs(graph, 1, seed)
        for got, expected in zip(
            interpret_batch(striped, *arrays), interpret_batch(graph, *arrays), strict=True
        ):
            if integer:
                assert np.array_equal(got, expected), seed
            else:
                np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)
    assert cut > 500


@pytest.mark.parametrize("integer", [True, False], ids=["int8", "float"])
def test_the_graph_in_patches_means_the_same(integer: bool) -> None:
    cut = 0
    for seed in range(60):
        graph, rng = image_graph(seed, integer), Random(seed)
        first, end = rng.choice(closed_parts(graph))
        height, width, _ = graph.tensors[graph.nodes[end - 1].name].shape
        size = rng.randint(1, height), rng.randint(1, width)
        part = patches(graph, graph.nodes[first:end], *size)
        if part is None or part.count > 40:
            continue
        cut += part.count
        striped = rewrite(graph, graph.nodes, [part]).graph
        arrays = random_inputs(graph, 1, seed)
        for got, expected in zip(
            interpret_batch(striped, *arrays), interpret_batch(graph, *arrays), strict=True
        ):
            if integer:
                assert np.array_equal(got, expected), seed
            else:
                np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)
    assert cut > 200


def test_patches_are_the_last_resort() -> None:
    builder = GraphBuilder("wide")
    x = builder.input("x", (12, 48, 4), "int8", INT8)
    for channels in (24, 24, 24, 4):
        x = convolution(builder, x, channels)
    graph = builder.build([x])
    roomy = plan(graph, BOARD, ram=16_000)
    assert not any("#" in step.node.name for step in roomy.steps)
    planned = plan(graph, BOARD, ram=12_000)
    assert planned.arena <= 12_000
    assert any("#" in step.node.name for step in planned.steps)
    assert planned.instructions > roomy.instructions
    replay(planned)
    (feed,) = random_inputs(graph, 1)
    (result,) = run_plan(planned, {graph.inputs[0]: feed[0]}).values()
    assert np.array_equal(result, interpret_batch(graph, feed)[0][0])


def test_no_row_is_computed_twice() -> None:
    for seed in range(40):
        graph = image_graph(seed)
        for part in random_parts(graph, seed):
            for name, stages in part.stages.items():
                ends = [stage.new for stage in stages if stage.new]
                assert all(a[1] <= b[0] for a, b in itertools.pairwise(ends)), name


@cache
def plans(seed: int, integer: bool) -> tuple[Graph, Plan, list[Plan]]:
    """A graph, its ordinary plan, and plans for less RAM."""
    graph = image_graph(seed, integer)
    usual = plan(graph, BOARD, ram=0, stripes=False)
    limits = (0, int(usual.arena * 0.7), int(usual.arena * 0.9))
    return graph, usual, [plan(graph, BOARD, ram=ram) for ram in limits]


@pytest.mark.parametrize("integer", [True, False], ids=["int8", "float"])
def test_nothing_that_a_later_step_reads_is_overwritten(integer: bool) -> None:
    smaller = 0
    for seed in range(14):
        _, usual, striped = plans(seed, integer)
        for planned in striped:
            replay(planned)
            smaller += planned.arena < usual.arena
            assert planned.arena <= usual.arena
    assert smaller > 10


@pytest.mark.parametrize("integer", [True, False], ids=["int8", "float"])
def test_kernels_in_guarded_arenas_equal_the_meaning_of_the_whole_graph(integer: bool) -> None:
    for seed in range(14):
        graph, _, striped = plans(seed, integer)
        feeds = {n: a[0] for n, a in zip(graph.inputs, random_inputs(graph, 1, seed), strict=True)}
        meaning = interpret(graph, feeds)
        for planned in striped:
            for name, value in run_plan(planned, feeds).items():
                if integer:
                    assert np.array_equal(value, meaning[name]), seed
                else:
                    np.testing.assert_allclose(value, meaning[name], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("seed", [1, 7])
def test_compiled_stripes_equal_the_meaning_under_sanitizers_and_on_the_emulator(seed: int) -> None:
    from netsuke.verify.host import HostLibrary
    from netsuke.verify.toolchain import sanitizing_compiler
    from netsuke.verify.unicorn import UnicornModel

    graph, usual, striped = plans(seed, True)
    assert striped[0].arena < usual.arena
    artifact = compile_graph(graph, BOARD, ram=0)
    arrays = random_inputs(graph, 3, seed)
    meaning = interpret_batch(graph, *arrays)
    sanitize = sanitizing_compiler() is not None
    host = HostLibrary(artifact, sanitize=sanitize).run(*arrays)
    emulated = UnicornModel(artifact).run(*arrays)
    for index in range(len(graph.outputs)):
        assert np.array_equal(host[index], meaning[index])
        assert np.array_equal(emulated[index], meaning[index])


def convolution(builder: GraphBuilder, x: str, k: int, stride: int = 1) -> str:
    rng, channels = np.random.default_rng(k), builder.tensors[x].shape[2]
    weights = rng.integers(-9, 9, (k, 3, 3, channels)).astype(np.int8)
    w = builder.constant("w", weights, Quant((0.1,) * k, (0,) * k, axis=0))
    b = builder.constant("b", np.zeros(k, np.int32))
    op = Conv2d(stride=(stride, stride), padding=((1, 1), (1, 1)))
    return builder.one(op, x, w, b, quant=INT8)


def test_a_residual_block_ends_in_the_memory_of_its_input() -> None:
    builder = GraphBuilder("block")
    x = builder.input("x", (32, 16, 16), "int8", INT8)
    y = convolution(builder, convolution(builder, x, 16), 16)
    graph = builder.build([builder.one(Add(), x, y, quant=INT8)])
    image = 32 * 16 * 16
    assert plan(graph, BOARD, ram=0, stripes=False).arena >= 2 * image
    planned = plan(graph, BOARD, ram=0)
    assert planned.arena < 1.4 * image
    assert planned.places["x"] == planned.places[graph.outputs[0]]
    replay(planned)


def test_a_large_output_grows_over_the_rows_of_its_input_that_are_used_up() -> None:
    builder = GraphBuilder("growing")
    x = builder.input("x", (32, 16, 4), "int8", INT8)
    graph = builder.build([convolution(builder, x, 8)])
    inside, outside = 32 * 16 * 4, 32 * 16 * 8
    planned = plan(graph, BOARD, ram=outside + 1200)
    assert planned.arena <= outside + 1200 < inside + outside
    replay(planned)


def test_the_ordinary_plan_stays_where_it_fits() -> None:
    graph = image_graph(3)
    usual = plan(graph, BOARD)
    assert usual.graph is graph
    assert plan(graph, BOARD, ram=1 << 17).graph is graph


def test_moved_rows_are_no_views_and_other_slices_are() -> None:
    builder = GraphBuilder("chain")
    x = builder.input("x", (16, 8, 8), "int8", INT8)
    graph = builder.build([convolution(builder, convolution(builder, x, 8), 8)])
    part = stripes(graph, graph.nodes, 4)
    assert part is not None
    striped = rewrite(graph, graph.nodes, [part])
    slices = {node.name for node in striped.graph.nodes if isinstance(node.op, Slice)}
    assert striped.moved and striped.moved < slices


def test_a_part_whose_rows_need_everything_is_not_cut() -> None:
    builder = GraphBuilder("whole")
    x = builder.input("x", (4, 4, 4), "int8", INT8)
    w = builder.constant("w", np.ones((4, 4, 4, 4), np.int8), Quant((0.1,)))
    b = builder.constant("b", np.zeros(4, np.int32))
    graph = builder.build([builder.one(Conv2d(), x, w, b, quant=INT8)])
    assert stripes(graph, graph.nodes, 1) is None


def test_what_does_not_fit_names_the_smallest_that_would() -> None:
    graph = image_graph(1)
    least = plan(graph, BOARD, ram=0).arena
    with pytest.raises(DoesNotFitError) as caught:
        plan(graph, BOARD, ram=8).require_fit(BOARD, 8)
    assert (caught.value.needed, caught.value.available) == (least, 8)


@pytest.mark.parametrize(
    ("name", "ram", "slower"),
    [
        ("vww_96_int8.tflite", 32 * 1024, 1.01),
        ("vww_96_int8.tflite", 29_000, 1.03),
        ("pretrainedResnet_quant.tflite", 33_000, 1.05),
        ("pretrainedResnet_quant.tflite", 22_000, 1.6),
        ("pretrainedResnet_quant.tflite", 20 * 1024, 2.5),
    ],
)
def test_real_networks_fit_into_the_ram_that_they_are_said_to(
    real_data: Path, name: str, ram: int, slower: float
) -> None:
    graph = optimize(load(real_data / "mlperf_tiny" / name))
    planned = plan(graph, BOARD, ram=ram)
    assert planned.arena <= ram
    assert planned.instructions <= slower * plan(graph, BOARD).instructions
    Replay(planned).run()


def test_every_step_is_run_by_a_kernel_of_its_own_operator() -> None:
    for seed in range(2, 14, 3):  # rows that mostly do not end at a word: some joins are copies
        _, _, striped = plans(seed, True)
        for planned in striped:
            for step in planned.steps:
                found = kernels_of(planned.graph, step.node, BOARD)
                assert step.kernel is None or step.kernel.function in {k.function for k in found}


def test_stripes_of_one_node_run_by_one_kernel_function() -> None:
    graph = image_graph(7)
    planned = plan(graph, BOARD, ram=0)
    assert planned.graph is not graph
    functions: dict[str, set[str]] = {}
    for step in planned.steps:
        name, mark, _ = step.node.name.partition("@")
        if step.kernel and mark and isinstance(step.node.op, Conv2d):
            assert step.kernel.function in {
                kernel.function for kernel in kernels_of(planned.graph, step.node, BOARD)
            }
            functions.setdefault(name, set()).add(step.kernel.function)
    assert functions and all(len(found) == 1 for found in functions.values())
