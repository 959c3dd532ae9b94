"""The choice of kernels is the cheapest that fits, and says truthfully when that is proved."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from random import Random

import pytest
from random_graphs import random_graph

from netsuke.codegen.footprint import footprint
from netsuke.devices import device
from netsuke.ir import Graph, Kernel, Node
from netsuke.schedule import Plan, plan
from netsuke.schedule.buffers import share
from netsuke.schedule.flash import FRAME, call_parts, code_bytes, table_bytes, table_key, tables
from netsuke.schedule.floor import Floor
from netsuke.schedule.offsets import lay_out, live

BOARD = device("nucleo-f446re")
MOST = 3_000
"""Choices that brute force may try."""


def random_costs(seed: int):  # type: ignore[no-untyped-def]
    """Instructions that follow no model, so that no order of the candidates is the right one."""

    def costs(graph: Graph, node: Node, kernels: Sequence[Kernel]) -> list[float]:
        rng = Random(f"{seed} {node.name}")
        return [float(rng.randrange(100, 10_000)) for _ in kernels]

    return costs


def choices(graph: Graph, seed: int) -> dict[str, list[Kernel]]:
    from dataclasses import replace

    found = {}
    for node in graph.nodes:
        kernels = node.op.kernels(graph.in_of(node), graph.out_of(node), BOARD.isa)
        costs = random_costs(seed)(graph, node, kernels)
        found[node.name] = [
            replace(kernel, instructions=cost) for kernel, cost in zip(kernels, costs, strict=True)
        ]
    return found


def flash_of(graph: Graph, kernels: dict[str, Kernel]) -> int:
    """Flash by its definition: every distinct table and function once."""
    parts: dict[str, int] = {}
    for node in graph.nodes:
        kernel = kernels[node.name]
        parts[kernel.function] = code_bytes(kernel.function, BOARD.core)
        parts |= call_parts(node.name, kernel)
        parts |= {table_key(t): table_bytes(t) for t in tables(graph, node, kernel)}
    return FRAME + sum(parts.values())


def brute_force(planned: Plan, seed: int, ram: int, flash: int | None) -> float:
    """Fewest instructions over every choice that fits, in the plan's order."""
    graph = planned.graph
    nodes = [step.node for step in planned.steps]
    candidates = choices(graph, seed)
    best = math.inf
    for combination in itertools.product(*(candidates[node.name] for node in nodes)):
        kernels = {node.name: kernel for node, kernel in zip(nodes, combination, strict=True)}
        sharing = share(graph, nodes, kernels)
        cost = sum(k.instructions for n, k in kernels.items() if n not in sharing.skipped)
        if cost >= best or (flash is not None and flash_of(graph, kernels) > flash):
            continue
        if lay_out(list(sharing.buffers.values())).size <= ram:
            best = cost
    return best


def small_graphs(count: int) -> list[int]:
    """Seeds of random graphs with several candidates, few enough to try them all."""
    seeds = []
    for seed in itertools.count():
        graph = random_graph(seed, seed % 3 > 0)
        numbers = [
            len(n.op.kernels(graph.in_of(n), graph.out_of(n), BOARD.isa)) for n in graph.nodes
        ]
        if 4 <= math.prod(numbers) <= MOST:
            seeds.append(seed)
        if len(seeds) == count:
            return seeds
    raise AssertionError


@pytest.mark.parametrize("seed", small_graphs(30))
def test_a_choice_that_claims_to_be_the_fastest_is(seed: int) -> None:
    graph = random_graph(seed, seed % 3 > 0)
    least = plan(graph, BOARD, ram=0, costs=random_costs(seed), stripes=False)
    rng = Random(seed)
    for ram in {least.arena, *(int(least.arena * rng.uniform(1, 1.6)) for _ in range(2))}:
        planned = plan(graph, BOARD, ram=ram, costs=random_costs(seed), stripes=False)
        assert planned.arena <= max(ram, least.arena)
        assert planned.fastest
        assert planned.instructions == brute_force(planned, seed, max(ram, least.arena), None)


@pytest.mark.parametrize("seed", small_graphs(12))
def test_flash_limits_are_held_by_the_cheapest_choice_that_holds_them(seed: int) -> None:
    graph = random_graph(seed, seed % 3 > 0)
    roomy = plan(graph, BOARD, ram=1 << 16, costs=random_costs(seed), stripes=False)
    least = footprint(roomy, BOARD).flash
    for cut in (1, 200, 1000):
        limit = least - cut
        planned = plan(
            graph, BOARD, ram=1 << 16, flash=limit, costs=random_costs(seed), stripes=False
        )
        expected = brute_force(planned, seed, 1 << 16, limit)
        if math.isinf(expected):
            assert not planned.fastest
        else:
            assert planned.fastest
            assert planned.instructions == expected
            kernels = {s.node.name: s.kernel for s in planned.steps if s.kernel}
            assert footprint(planned, BOARD).flash <= limit or len(kernels) < len(planned.steps)


@pytest.mark.parametrize("seed", range(40))
def test_no_choice_of_kernels_needs_less_than_the_floor_says(seed: int) -> None:
    graph = random_graph(seed, seed % 2 == 0)
    candidates = choices(graph, seed)
    floor, rng = Floor(graph, graph.nodes, candidates), Random(seed)
    for _ in range(20):
        kernels = {name: rng.choice(found) for name, found in candidates.items()}
        sharing = share(graph, graph.nodes, kernels)
        needed = live(sharing.buffers.values())[1:]
        for step, node in enumerate(graph.nodes):
            if node.name not in sharing.skipped:
                assert floor.needed(step, node, kernels[node.name]) <= needed[step]
            else:
                assert floor.live[step] <= needed[step] + max(
                    tensor.size for tensor in graph.in_of(node)
                )


def test_more_ram_never_costs_instructions() -> None:
    graph = random_graph(7, True)
    arenas = [plan(graph, BOARD, ram=ram).instructions for ram in range(0, 4000, 250)]
    assert arenas == sorted(arenas, reverse=True)
