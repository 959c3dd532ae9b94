"""Instructions are counted step by step, and kernels cost what the emulator counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from random_graphs import random_graph
from verified_models import float_graph, integer_graph

from netsuke import load
from netsuke.codegen import compile_graph
from netsuke.devices import device
from netsuke.errors import UsageError
from netsuke.schedule import plan
from netsuke.schedule.plan import kernels_of
from netsuke.verify.cache import cache_folder
from netsuke.verify.measure import MeasuredCosts
from netsuke.verify.samples import random_samples
from netsuke.verify.unicorn import UnicornModel

BOARD = device("nucleo-f446re")


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("NETSUKE_CACHE", str(tmp_path / "cache"))
    cache_folder.cache_clear()
    yield cache_folder()
    cache_folder.cache_clear()


@pytest.mark.parametrize("board", ["nucleo-f446re", "rpi-pico", "disco-f746ng"])
@pytest.mark.parametrize("compiler", ["zig", "arm-none-eabi-gcc"])
def test_steps_sum_up_to_the_inference(board: str, compiler: str) -> None:
    graph = random_graph(11, True)
    artifact = compile_graph(graph, device(board))
    model = UnicornModel(artifact, compiler=compiler)
    model.run(*random_samples(graph, 3, 0))
    calls = [step for step in artifact.plan.steps if step.kernel]
    assert len(calls) > 2
    assert len(model.steps) == len(calls)
    assert sum(model.steps) == model.instructions[-1]
    assert min(model.steps) > 5


def test_a_step_takes_what_its_node_takes_alone() -> None:
    graph = integer_graph()
    both = UnicornModel(compile_graph(graph, BOARD))
    both.run(np.zeros((1, 6, 6, 3), np.int8))
    first = replace(graph, nodes=graph.nodes[:1], outputs=("y",), ports={})
    kept = {name for node in first.nodes for name in (*node.inputs, *node.outputs)}
    first = replace(first, tensors={n: t for n, t in graph.tensors.items() if n in kept})
    alone = UnicornModel(compile_graph(first, BOARD))
    alone.run(np.zeros((1, 6, 6, 3), np.int8))
    assert abs(both.steps[0] - alone.instructions[0]) < 20


def test_plans_take_measured_costs_and_the_emulator_confirms_them(empty_cache: Path) -> None:
    graph, rounds = integer_graph(), []
    costs = MeasuredCosts(BOARD, progress=lambda *round_: rounds.append(round_))
    planned = plan(graph, BOARD, costs=costs)
    artifact = compile_graph(graph, BOARD, costs=costs)
    model = UnicornModel(artifact)
    model.run(*(array[-1:] for array in random_samples(graph, 3, 0)))
    assert planned.fastest
    assert planned.instructions == pytest.approx(model.instructions[0], abs=40)
    most = max(len(kernels_of(graph, node, BOARD)) for node in graph.nodes)
    assert 1 < len(rounds) <= most


def test_what_was_measured_is_not_measured_again(empty_cache: Path) -> None:
    first = MeasuredCosts(BOARD).table(integer_graph())
    rounds: list[object] = []
    again = MeasuredCosts(BOARD, progress=lambda *round_: rounds.append(round_))
    assert again.table(integer_graph()) == first
    assert rounds == []
    other = MeasuredCosts(device("disco-f746ng"), progress=lambda *r: rounds.append(r))
    other.require(integer_graph())
    assert rounds  # another core counts anew


@pytest.mark.parametrize("damage", ["not a number", "-5\n", "0\n", ""])
def test_a_damaged_count_is_measured_again(empty_cache: Path, damage: str) -> None:
    first = MeasuredCosts(BOARD).table(integer_graph())
    for path in empty_cache.glob("??/*.instructions"):
        path.write_text(damage)
    assert MeasuredCosts(BOARD).table(integer_graph()) == first


def test_every_kernel_of_a_node_is_in_the_table() -> None:
    graph = integer_graph()
    table = MeasuredCosts(BOARD).table(graph)
    for node in graph.nodes:
        functions = [kernel.function for kernel in kernels_of(graph, node, BOARD)]
        assert [row.function for row in table if row.node == node.name] == functions
    assert all(row.instructions > row.macs / 4 for row in table)


def test_floats_are_measured_too() -> None:
    (row,) = MeasuredCosts(BOARD).table(float_graph())
    assert row.instructions > row.macs


def test_a_core_that_nothing_counts_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot be emulated"):
        MeasuredCosts(device("esp32-s3-n8r8"))


def test_variants_in_stripes_take_what_is_known(real_data: Path) -> None:
    graph = load(real_data / "mlperf_tiny" / "kws_ref_model.tflite")
    rounds: list[object] = []
    costs = MeasuredCosts(BOARD, progress=lambda *round_: rounds.append(round_))
    costs.require(graph)
    rounds.clear()
    planned = plan(graph, BOARD, ram=8600, costs=costs)
    assert planned.arena <= 8600
    assert rounds == []
