"""Buffers that are used most lie in the fastest memory, and nothing exceeds its region."""

from __future__ import annotations

import itertools
from random import Random

import numpy as np
import pytest
from image_graphs import image_graph
from plan_runs import replay
from random_graphs import random_inputs

from netsuke.codegen import compile_graph
from netsuke.devices import Device, Region, device
from netsuke.ir import Graph, GraphBuilder, Quant, interpret_batch
from netsuke.models import build
from netsuke.ops import Conv2d
from netsuke.passes import optimize
from netsuke.schedule import Plan, plan
from netsuke.schedule.buffer import Buffer
from netsuke.schedule.buffers import share
from netsuke.schedule.offsets import lay_out
from netsuke.schedule.regions import heat, spread


def memory(name: str, size: int) -> Region:
    return Region(name, "ram", size, ("arena",))


def used_in(used: dict[str, float], buffers: list[Buffer], regions: list[Region]) -> float:
    """Use of what lies in the first region."""
    located = spread(buffers, lay_out(buffers), regions, used)
    for a, b in itertools.combinations(buffers, 2):
        low, high = sorted((a, b), key=lambda buffer: located[buffer.name].offset)
        apart = located[high.name].offset - located[low.name].offset
        together = a.start <= b.end and b.start <= a.end
        same = located[a.name].region == located[b.name].region
        assert not (together and same) or apart >= low.size
    return sum(used[name] for name, place in located.items() if place.region == regions[0].name)


@pytest.mark.parametrize("seed", range(40))
def test_no_other_set_of_buffers_in_the_fast_memory_is_used_more(seed: int) -> None:
    rng = Random(seed)
    buffers = []
    for index in range(rng.randint(2, 7)):
        start = rng.randint(0, 5)
        buffers.append(
            Buffer(f"b{index}", 4 * rng.randint(1, 20), start, start + rng.randint(0, 4))
        )
    used = {buffer.name: float(rng.randint(1, 100)) for buffer in buffers}
    room = 4 * rng.randint(5, 40)
    most = 0.0
    for count in range(len(buffers) + 1):
        for chosen in itertools.combinations(buffers, count):
            if lay_out(chosen).size <= room:
                most = max(most, sum(used[buffer.name] for buffer in chosen))
    regions = [memory("fast", room), memory("slow", 1 << 20)]
    assert used_in(used, buffers, regions) == most


def test_what_fits_into_the_fastest_memory_lies_there() -> None:
    buffers = [Buffer("a", 40, 0, 1), Buffer("b", 40, 0, 1)]
    located = spread(
        buffers, lay_out(buffers), [memory("fast", 80), memory("slow", 800)], {"a": 1, "b": 2}
    )
    assert {place.region for place in located.values()} == {"fast"}


def test_bytes_decide_where_use_would_leave_no_room() -> None:
    buffers = [Buffer("hot", 40, 0, 1), Buffer("a", 100, 0, 1), Buffer("b", 100, 0, 1)]
    regions = [memory("fast", 100), memory("slow", 140)]
    located = spread(buffers, lay_out(buffers), regions, {"hot": 9, "a": 1, "b": 1})
    assert located["hot"].region == "slow"


def test_buffers_stay_together_where_spread_they_would_exceed_the_limit() -> None:
    buffers = [Buffer("a", 40, 0, 1), Buffer("b", 60, 2, 3)]
    regions = [memory("fast", 52), memory("slow", 800)]
    used = {"a": 1.0, "b": 1.0}
    layout = lay_out(buffers)
    apart = spread(buffers, layout, regions, used)
    assert {place.region for place in apart.values()} == {"fast", "slow"}
    together = spread(buffers, layout, regions, used, limit=layout.size)
    assert {place.region for place in together.values()} == {"slow"}


def test_what_a_call_reads_and_its_scratch_are_used_more_than_what_it_writes() -> None:
    quant = Quant((0.1,), (0,))
    builder = GraphBuilder("conv")
    x = builder.input("x", (8, 8, 8), "int8", quant)
    w = builder.constant("w", np.ones((8, 3, 3, 8), np.int8), Quant((0.1,)))
    b = builder.constant("b", np.zeros(8, np.int32))
    graph = builder.build([builder.one(Conv2d(), x, w, b, name="y", quant=quant)])
    board = device("nucleo-f446re")
    (node,) = graph.nodes
    kernels = node.op.kernels(graph.in_of(node), graph.out_of(node), board.isa)
    kernel = next(k for k in kernels if k.scratch and not k.inplace)
    used = heat([node], {"y": kernel}, share(graph, [node], {"y": kernel}), {})
    assert used["x"] == used["y:scratch"] == kernel.instructions > used["y"] > 0


def network() -> Graph:
    return optimize(build("mobilenet_v1?size=64&width=0.25&classes=10"))


def check_regions(planned: Plan, board: Device) -> None:
    replay(planned)
    planned.require_fit(board)
    assert len(planned.arenas) > 1


@pytest.mark.parametrize("name", ["disco-f746ng", "esp32-p4"])
def test_real_boards_with_several_memories_hold_what_their_fastest_cannot(name: str) -> None:
    board = device(name)
    first = board.memory("arena")[0]
    graph = network()
    planned = plan(graph, board)
    if planned.arena <= first.available:
        pytest.skip(f"left out: all of it fits into {first.name}")
    replay(planned)
    planned.require_fit(board)
    inside = [p for _, (p, _) in planned.buffers.items() if p.region == first.name]
    assert inside, "nothing lies in the fastest memory"


@pytest.mark.parametrize("seed", [3, 5, 11])
def test_c_with_arenas_in_two_memories_equals_the_meaning(seed: int) -> None:
    from netsuke.verify.host import HostLibrary
    from netsuke.verify.unicorn import UnicornModel

    graph = image_graph(seed)
    usual = device("nucleo-f446re")
    whole = plan(graph, usual).arena
    flash = next(region for region in usual.regions if region.kind == "flash")
    fast = Region("dtcm", "ram", whole // 2 // 4 * 4, ("arena",), origin=0x20000000)
    slow = Region("sram", "ram", 1 << 16, ("arena", "data", "stack"), origin=0x20020000)
    board = Device("two", "two", "cortex-m4", usual.isa, 1e8, (flash, fast, slow))
    artifact = compile_graph(graph, board)
    check_regions(artifact.plan, board)
    arrays = random_inputs(graph, 2, seed)
    meaning = interpret_batch(graph, *arrays)
    for results in (HostLibrary(artifact).run(*arrays), UnicornModel(artifact).run(*arrays)):
        for got, expected in zip(results, meaning, strict=True):
            assert np.array_equal(got, expected)
