"""The parts of a fit, each by itself."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from netsuke.compress.importance import magnitude, taylor
from netsuke.data import from_arrays, load_data
from netsuke.devices import Limits, device
from netsuke.devices.timing import timing
from netsuke.errors import UsageError
from netsuke.fit import channel_groups, paired_drop
from netsuke.fit.cost import QuickCost
from netsuke.fit.design import Design
from netsuke.fit.effort import Effort, Speed, plan_effort, with_visits
from netsuke.fit.first_cut import between, cost_ratio
from netsuke.fit.folder import RunFolder
from netsuke.fit.original import prepared
from netsuke.fit.sizing import targets
from netsuke.fit.space import DesignSpace
from netsuke.fit.walk import Walk, chunk
from netsuke.ir import constant
from netsuke.models import build
from netsuke.train import Recipe


def test_the_bound_of_a_drop_is_the_formula() -> None:
    rng = np.random.default_rng(0)
    before = (rng.random(1000) < 0.1).astype(float)
    after = np.where(rng.random(1000) < 0.05, 1.0 - before, before)
    drop = paired_drop(before, after)
    share = (before != after).mean()
    assert drop.disagreements == share and drop.samples == 1000
    assert math.isclose(drop.points, 100 * (after.mean() - before.mean()))
    wanted = drop.points + 164.48536 * math.sqrt(share / 1000)
    assert math.isclose(drop.bound, wanted, rel_tol=1e-6)


def test_the_bound_holds_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    worse, better, held = 0.05, 0.03, 0
    for _ in range(400):
        delta = rng.choice([1.0, -1.0, 0.0], size=400, p=[worse, better, 1 - worse - better])
        held += paired_drop(np.zeros(400), delta).bound >= 100 * (worse - better)
    assert held / 400 > 0.93


def test_equal_answers_still_leave_a_doubt() -> None:
    drop = paired_drop(np.zeros(100), np.zeros(100))
    assert drop.points == 0.0 and 1.0 < drop.bound < 2.0


def test_taylor_finds_the_units_that_do_nothing() -> None:
    data = load_data("digits")
    graph = build("lenet?size=8&width=0.5")
    weights = np.array(graph.tensors["conv5.weights"].data)
    tensors = dict(graph.tensors)
    dead = [1, 4, 9]
    weights[dead] = 0.0
    tensors["conv5.weights"] = constant("conv5.weights", weights)
    broken = replace(graph, tensors=tensors)
    groups = channel_groups(broken)
    scores = taylor(broken, groups, data, batches=4)[1]
    assert scores[dead].max() < 1e-9 and np.count_nonzero(scores > 1e-9) >= 10
    assert set(np.argsort(magnitude(broken, groups)[1])[:3]) == set(dead)


def test_the_quick_cost_of_the_whole_is_its_weights_and_peak() -> None:
    graph = build("resnet8")
    groups = channel_groups(graph)
    quick = QuickCost(graph, groups)
    flash, ram, macs = quick(quick.units)
    kernels = sum(t.elements for t in graph.constants() if t.name.endswith(".weights"))
    biases = sum(t.elements for t in graph.constants() if t.name.endswith(".bias"))
    assert flash == kernels + 9 * biases
    assert ram == 3 * 32 * 32 * 16 and macs == graph.macs
    half = quick(quick.units // 2)
    assert flash / half[0] > 3.0 and ram / half[1] == 2.0


def test_walking_down_and_up_holds_its_targets_and_likes_multiples_of_four() -> None:
    graph = build("resnet8")
    groups = channel_groups(graph)
    quick = QuickCost(graph, groups)
    whole = quick(quick.units)
    for relative in (False, True):
        aim = np.array([0.3 * whole[0], 0.5 * whole[1], np.inf])
        walk = Walk(quick, magnitude(graph, groups), relative)
        widths = walk.down(aim)
        assert (quick(widths) <= aim).all() and all(width % 4 == 0 for width in widths)
        wider = walk.up(aim, widths)
        assert (quick(wider) <= aim).all() and (wider >= widths).all()
        for group in np.flatnonzero(wider < walk.whole):
            more = wider.copy()
            more[group] = min(more[group] + chunk(int(more[group]) + 4, 1) + 4, walk.whole[group])
            assert (quick(more) > aim).any()  # no room is left
        assert (walk.up(np.full(3, np.inf), widths) == walk.whole).all()


def test_the_most_important_units_stay() -> None:
    graph, data = build("resnet8"), load_data("digits")
    groups = channel_groups(graph)
    importance = magnitude(graph, groups)
    space = DesignSpace(graph, data, importance, magnitude)
    kept = space.skeleton().kept([4] * len(groups))
    for units, values in zip(kept, importance, strict=True):
        assert min(values[list(units)]) >= np.sort(values)[-4]


def test_the_network_between_keeps_what_any_target_keeps() -> None:
    graph = build("mobilenet_v1?size=32&width=0.5")
    image = np.zeros((4, 32, 32, 3), np.float32)
    data = from_arrays(*[(image, np.arange(4) % 2)] * 3)
    space = DesignSpace(graph, data, None, magnitude)
    edit = next(edit for edit in space.edits if edit.kind == "drop_block")
    for edits in ((), (edit,)):
        skeleton = space.skeleton(edits)
        target = Design(tuple(max(1, units // 8) for units in skeleton.whole), edits)
        middle = between(space, target)
        assert middle is not None and not middle.edits
        widths = dict(zip((g.name for g in space.groups), middle.widths, strict=True))
        for group, width in zip(skeleton.groups, target.widths, strict=True):
            assert widths[group.name] >= width
        assert cost_ratio(space, middle, target) > 1.0
    assert between(space, space.whole()) is None


def test_walking_down_stops_at_one_channel() -> None:
    graph = build("lenet?size=8")
    groups = channel_groups(graph)
    quick = QuickCost(graph, groups)
    widths = Walk(quick, magnitude(graph, groups)).down(np.array([1.0, 1, 1]))
    assert set(widths) == {1}


def test_chunks_reach_the_floor() -> None:
    for width in range(1, 200):
        left = width
        while step := chunk(left, 1):
            left -= step
        assert left == 1


def test_limits_are_never_more_than_the_device() -> None:
    board = device("nucleo-f446re")
    wanted = targets(Limits(flash=10**9, ram=1000, latency=0.01), board)
    assert wanted[0] == board.flash and wanted[1] == 1000
    assert wanted[2] == 0.01 * board.clock / timing("cortex-m4").typical
    linux = device("rpi-3b")
    assert targets(Limits(latency=0.01), linux)[2] == 0.01 * linux.clock


def test_visits_become_epochs_or_a_part_of_one() -> None:
    recipe = Recipe(batch=32)
    assert with_visits(recipe, 100, 1000).samples == 100
    assert with_visits(recipe, 3500, 1000).epochs == 3


def test_a_plan_fills_the_time_and_no_more() -> None:
    speed = Speed(learning=1e-3, teaching=2e-4)
    for seconds in (5.0, 60.0, 900.0, 7200.0):
        for first_cut in (0.0, 3.0):
            plan = plan_effort(speed, 5000, seconds, first_cut=first_cut)
            searching = sum(count * visits for count, visits in plan.rungs)
            visits = searching + plan.final + plan.integers + first_cut * plan.first_cut
            spent = visits * speed.learning + plan.samples * speed.teaching
            assert spent <= 1.05 * seconds + 0.5
            assert spent >= 0.6 * seconds or plan.final >= 90 * plan.samples
            assert sum(plan.generations) == plan.designs >= 3


def test_halving_trains_a_third_three_times_as_long() -> None:
    rungs = Effort(1000, 4, 0, 18, 500, 0, 0).rungs
    assert rungs == ((18, 500), (6, 1000), (2, 3000))
    assert sum(visits for _, visits in rungs) == 9 * 500


def test_a_folder_computes_a_step_once(tmp_path: Path) -> None:
    calls = []

    def make() -> dict[str, int]:
        calls.append(1)
        return {"answer": 42}

    for resume in (False, True):
        folder = RunFolder(tmp_path / "run", {"model": "a"}, resume)
        assert folder.values("step", make) == {"answer": 42}
        assert folder.array("numbers", lambda: np.arange(3.0)).tolist() == [0.0, 1.0, 2.0]
        graph = folder.graph("graph", lambda: build("lenet?size=8"))
        assert graph.fingerprint() == build("lenet?size=8").fingerprint()
    assert len(calls) == 1
    with pytest.raises(UsageError, match="holds a run already"):
        RunFolder(tmp_path / "run", {"model": "a"}, False)
    with pytest.raises(UsageError, match="another model"):
        RunFolder(tmp_path / "run", {"model": "b"}, True)


@pytest.mark.parametrize("name", ["shufflenet_v1?size=32&groups=3", "shufflenet_v2?size=32"])
def test_a_shuffle_does_not_tie_channels_together(name: str) -> None:
    graph = build(f"{name}&width=0.25&classes=4")
    tied, free = channel_groups(graph), channel_groups(prepared(graph))
    assert sum(group.units for group in free) > 1.4 * sum(group.units for group in tied)
    assert prepared(graph).macs == graph.macs
