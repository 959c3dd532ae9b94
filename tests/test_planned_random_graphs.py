"""Random graphs mean the same in NumPy, in C on the host and in C on an emulated Cortex-M."""

from __future__ import annotations

import numpy as np
import pytest
from plan_runs import run_plan
from random_graphs import random_graph, random_inputs

from netsuke.codegen import compile_graph
from netsuke.devices import device
from netsuke.ir import Array, Graph, interpret, interpret_batch
from netsuke.schedule import plan

BOARDS = ("nucleo-f446re", "rpi-pico")
PLANNED = 1000
COMPILED = 12


def assert_same(graph: Graph, name: str, got: Array, meaning: Array, where: str) -> None:
    if graph.tensors[name].dtype == "float32":
        np.testing.assert_allclose(got, meaning, rtol=1e-4, atol=1e-4, err_msg=where)
    else:
        np.testing.assert_array_equal(got, meaning, err_msg=where)


@pytest.mark.parametrize("integer", [True, False], ids=["int8", "float"])
@pytest.mark.parametrize("block", range(4))
def test_planned_kernels_in_guarded_arenas_equal_the_meaning(block: int, integer: bool) -> None:
    boards = [device(name) for name in BOARDS]
    for seed in range(block, PLANNED, 4):
        graph = random_graph(seed, integer)
        feeds = {n: a[0] for n, a in zip(graph.inputs, random_inputs(graph, 1, seed), strict=True)}
        meaning = interpret(graph, feeds)
        for name, value in run_plan(plan(graph, boards[seed % 2]), feeds).items():
            assert_same(graph, name, value, meaning[name], f"seed {seed}, {name}")


@pytest.mark.parametrize("integer", [True, False], ids=["int8", "float"])
def test_compiled_graphs_equal_the_meaning_under_sanitizers_and_on_the_emulator(
    integer: bool,
) -> None:
    from netsuke.verify.host import HostLibrary
    from netsuke.verify.toolchain import sanitizing_compiler
    from netsuke.verify.unicorn import UnicornModel

    sanitize = sanitizing_compiler() is not None
    for seed in range(COMPILED):
        graph = random_graph(seed, integer)
        arrays = random_inputs(graph, 3, seed)
        meaning = interpret_batch(graph, *arrays)
        artifact = compile_graph(graph, device(BOARDS[seed % 2]))
        host = HostLibrary(artifact, sanitize=sanitize).run(*arrays)
        emulated = UnicornModel(artifact).run(*arrays)
        for index, name in enumerate(graph.outputs):
            assert_same(graph, name, host[index], meaning[index], f"seed {seed} host")
            np.testing.assert_array_equal(emulated[index], host[index], err_msg=f"seed {seed} M4")
