"""The three ways that a run can take: into limits, down to a drop, or nothing to do."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from netsuke.compress.importance import taylor
from netsuke.devices import Limits
from netsuke.errors import NoDesignError
from netsuke.fit.design import Design, Sized
from netsuke.fit.effort import Effort
from netsuke.fit.finish import Finished, finish
from netsuke.fit.first_cut import between, cost_ratio
from netsuke.fit.impossible import require_possible
from netsuke.fit.learning import Learning
from netsuke.fit.propose import first
from netsuke.fit.search import search
from netsuke.fit.sizing import LIMITS, Sizer, as_array
from netsuke.fit.space import DesignSpace
from netsuke.ir import Array, Graph

RUNGS = 6
"""Most steps of the search for the smallest network within a drop."""
UNFINISHED = 2.0
"""Points that a short training shows less than a whole one, about."""
WORK = 8e10
"""Multiply-accumulates that measuring importance may take, some seconds."""


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """What a way led to.

    Attributes
    ----------
    design
        In the space from which it was chosen.
    finished
        Its trained graph and integers.
    effort
        What was spent.
    """

    design: Design
    finished: Finished
    effort: Effort | None


def choose(
    learning: Learning, sizer: Sizer, limits: Limits, wanted: Array, designs: int | None
) -> Chosen:
    """Take the way that the limits ask for."""
    original = sizer.sizes(sizer.space.whole())
    if (as_array(original) > wanted).any():
        require_possible(sizer, wanted)
        return within_limits(learning, sizer, wanted, designs)
    sizes = (limits.flash, limits.ram, limits.instructions, limits.latency)
    if limits.max_drop is not None and all(value is None for value in sizes):
        return within_drop(learning, sizer, wanted, limits.max_drop)
    learning.notes.append("The original's integers hold all limits; nothing was cut.")
    return as_it_is(learning, sizer)


def importance_of(learning: Learning, name: str, graph: Graph, space_groups: object) -> Array:
    raise NotImplementedError


def within_limits(
    learning: Learning, sizer: Sizer, wanted: Array, designs: int | None
) -> Chosen:
    """The best of many designs that hold the limits, trained for the rest of the time."""
    space = sizer.space
    typical = _typical(learning, sizer, wanted)
    middle = between(space, typical.design)
    ratio = 0.0
    if middle is not None:
        ratio = cost_ratio(space.skeleton(), middle, typical.design)
    effort = learning.plan("effort", space.realise(typical.design), designs, ratio)
    if middle is not None and effort.first_cut:
        graph, losses = learning.further(
            "between", space.realise(middle), middle, effort.first_cut
        )
        learning.curves["between"] = losses
        space = space_of(learning, "between-importance", graph, space.families)
        sizer = Sizer(space, sizer.device)
    best, graph = search(learning, space, sizer, wanted, effort)
    return Chosen(best.design, finish(learning, "small", best.design, graph, effort, sizer.device), effort)


def space_of(
    learning: Learning, name: str, graph: Graph, families: tuple[str, ...]
) -> DesignSpace:
    raise NotImplementedError
