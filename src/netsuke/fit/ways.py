"""The three ways that a run can take: into limits, down to a drop, or nothing to do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netsuke.compress.importance import BATCH, magnitude, taylor
from netsuke.devices import Limits
from netsuke.errors import NoDesignError
from netsuke.fit.design import Design, Sized
from netsuke.fit.effort import Effort
from netsuke.fit.finish import Finished, finish, integers_learn, rounded
from netsuke.fit.first_cut import between, cost_ratio
from netsuke.fit.learning import Learning
from netsuke.fit.propose import first
from netsuke.fit.search import search
from netsuke.fit.sizing import LIMITS, Sizer, as_array
from netsuke.fit.space import DesignSpace, named
from netsuke.ir import Array, Graph
from netsuke.passes.channel_groups import channel_groups

RUNGS = 6
"""Most steps of the search for the smallest network within a drop."""
UNFINISHED = 2.0
"""Points that a short training shows less than a whole one, about."""
WORTH, INTEGER_EPOCHS = 0.1, 4
"""Points of the original for which its integers learn, and for how long at most."""
WORK = 8e10
"""Multiply-accumulates that measuring importance may take, some seconds."""


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """What a way led to.

    Attributes
    ----------
    design, space
        The design, and the space from which it was chosen.
    finished
        Its trained graph and integers.
    effort
        What was spent.
    """

    design: Design
    space: DesignSpace
    finished: Finished
    effort: Effort | None


def choose(
    learning: Learning, sizer: Sizer, limits: Limits, wanted: Array, designs: int | None
) -> Chosen:
    """Take the way that the limits ask for."""
    original = sizer.sizes(sizer.space.whole())
    if (as_array(original) > wanted).any():
        return within_limits(learning, sizer, wanted, designs)
    sizes = (limits.flash, limits.ram, limits.instructions, limits.latency)
    if limits.max_drop is not None and all(value is None for value in sizes):
        return within_drop(learning, sizer, wanted, limits.max_drop)
    learning.notes.append("The original's integers hold all limits; nothing was cut.")
    return as_it_is(learning, sizer)


def within_limits(learning: Learning, sizer: Sizer, wanted: Array, designs: int | None) -> Chosen:
    """The best of many designs that hold the limits, trained for the rest of the time."""
    space = sizer.space
    typical = _typical(learning, sizer, wanted)
    middle = between(space, typical.design)
    ratio = cost_ratio(space, middle, typical.design) if middle else 0.0
    student = space.realise(typical.design)
    effort = learning.plan("effort", student, designs, typical.design, ratio)
    if middle is not None and effort.first_cut:
        graph = learning.further("between", space.realise(middle), middle, effort.first_cut)
        space = design_space(learning, "between-importance", graph, space.families)
        sizer = Sizer(space, sizer.device)
    best, graph = search(learning, space, sizer, wanted, effort)
    finished = finish(learning, "small", best.design, graph, effort, sizer.device)
    return Chosen(best.design, space, finished, effort)


def design_space(
    learning: Learning, name: str, graph: Graph, families: tuple[str, ...]
) -> DesignSpace:
    """The space of a graph, whose units' importance is measured once and kept."""
    batches = int(np.clip(WORK / max(3 * BATCH * graph.macs, 1), 2, 16))
    groups = channel_groups(graph)
    flat = learning.folder.array(
        name, lambda: np.concatenate([*taylor(graph, groups, learning.data, batches), []])
    )
    ends = np.cumsum([group.units for group in groups])[:-1]
    importance = tuple(np.split(flat, ends)) if groups else ()
    return DesignSpace(graph, learning.data, importance, magnitude, families)


def _typical(learning: Learning, sizer: Sizer, wanted: Array) -> Sized:
    """The first idea that holds the limits.

    Raises
    ------
    NoDesignError
        When each limit can be held alone, but none of many designs holds all of them.
    """
    rng = np.random.default_rng(learning.recipe.seed)
    found = first(sizer.space, sizer, wanted, 1, rng)
    if found:
        return found[0]
    tried = [sizer.sizes(sizer.space.smallest(number)) for number in range(len(LIMITS))]
    excess = [(as_array(sizes) / wanted).max() for sizes in tried]
    nearest = as_array(tried[int(np.argmin(excess))])
    place = int((nearest / wanted).argmax())
    raise NoDesignError(
        *(LIMITS[place], int(nearest[place]), int(wanted[place])),
        culprit=f"the least {LIMITS[int(np.argmin(excess))]}",
        tried=len(sizer.known),
    )


def within_drop(learning: Learning, sizer: Sizer, wanted: Array, max_drop: float) -> Chosen:
    """The smallest network whose drop on validation data is at most `max_drop`.

    Each rung halves what cutting can save at all. The last rung that a short training did not
    rule out is trained for the rest of the time; if its drop is too large, the one before it is.
    """
    space = sizer.space
    whole = sizer.sizes(space.whole()).flash
    least = sizer.sizes(space.smallest(0)).flash
    base = learning.original_score()
    effort = learning.plan("effort", learning.teacher, RUNGS // 2)
    rungs: list[Sized] = []
    for number in range(RUNGS if least < whole else 0):
        aim = np.minimum(wanted, [least + (whole - least) / (2 << number), np.inf, np.inf])
        each = sizer.within(named(space.whole(), f"1/{2 << number} of what can be cut"), aim)
        if each is None:
            break
        score = learning.rung(space, [each], 0, effort.visits)[each.design.key]
        if base - score > max_drop + UNFINISHED:
            break
        rungs.append(each)
    for number, each in reversed(list(enumerate(rungs[-2:]))):
        graph, name = learning.graph_of(space, each.design, 0), f"small{'ab'[number]}"
        finished = finish(learning, name, each.design, graph, effort, sizer.device)
        if base - finished.score <= max_drop:
            return Chosen(each.design, space, finished, effort)
    learning.notes.append("No smaller network stayed within the drop; nothing was cut.")
    return as_it_is(learning, sizer)


def as_it_is(learning: Learning, sizer: Sizer) -> Chosen:
    """The original, quantized; where rounding costs points, its integers learn for a while."""
    space, design = sizer.space, sizer.space.whole()
    finished = rounded(learning, "original-integers", learning.teacher, learning.data, sizer.device)
    effort = None
    if finished.score < learning.original_score() - WORTH:
        effort = learning.plan("effort", learning.teacher, designs=0)
        visits = min(effort.final, INTEGER_EPOCHS * effort.samples)
        finished = integers_learn(learning, "original", design, finished, visits, sizer.device)
    return Chosen(design, space, finished, effort)
