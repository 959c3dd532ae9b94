"""Which channels stay: the walk from the original to the network that ships.

This is the part that a later search replaces; it needs a `SearchSpace`, exact sizes and a
`Learning`, and hands back a candidate with its trained graph.
"""

from __future__ import annotations

import numpy as np

from netsuke.compress.importance import magnitude, taylor
from netsuke.fit.cost import QuickCost
from netsuke.fit.folder import RunFolder
from netsuke.fit.learning import Learning
from netsuke.fit.shrink import Shrinker
from netsuke.fit.sizing import Sized, Sizer, as_array
from netsuke.fit.space import Candidate
from netsuke.ir import Array, Graph

WAYS = ("taylor", "relative taylor", "relative magnitude")
"""Ideas of which channels go first; each makes one candidate."""
RUNGS = 6
"""Most steps of the search for the smallest network within a drop."""
UNFINISHED = 2.0
"""Points that a short training shows less than a whole one, about."""


def shrinker(learning: Learning, sizer: Sizer, folder: RunFolder, way: str) -> Shrinker:
    """The walk down by one idea of importance."""
    graph, groups = learning.teacher, sizer.space.groups
    if way.endswith("taylor"):
        flat = folder.array("taylor", lambda: np.concatenate(taylor(graph, groups, learning.data)))
        importance = tuple(np.split(flat, np.cumsum([group.units for group in groups])[:-1]))
    else:
        importance = magnitude(graph, groups)
    return Shrinker(QuickCost(graph, groups), importance, way.startswith("relative"))


def within_limits(
    learning: Learning, sizer: Sizer, folder: RunFolder, wanted: Array
) -> tuple[Candidate, Graph]:
    """The best of several candidates that hold the limits, trained for the rest of the time."""
    sized: list[Sized] = []
    for number, way in enumerate(WAYS):
        learning.bar.at(f"choosing channels by {way}", number, len(WAYS))
        found = sizer.narrow(shrinker(learning, sizer, folder, way), wanted, way)
        if all(found.candidate.kept != other.candidate.kept for other in sized):
            sized.append(found)
    students = [sizer.space.realise(each.candidate) for each in sized]
    learning.begin(students[0], len(sized) if len(sized) > 1 else 0)
    best = 0
    if len(sized) > 1:
        for number, each in enumerate(sized):
            students[number] = learning.probe(f"candidate{number}", each, students[number])
        best = max(range(len(sized)), key=lambda index: learning.attempts[index].metric)
    return sized[best].candidate, learning.finish("small", students[best])[0]


def within_drop(
    learning: Learning, sizer: Sizer, folder: RunFolder, wanted: Array, max_drop: float
) -> tuple[Candidate, Graph]:
    """The smallest network whose drop on validation data is at most `max_drop`.

    Each rung halves what cutting can save at all. The last rung that a short training did not
    rule out is trained for the rest of the time; if its drop is too large, the one before it is.
    """
    space, walk = sizer.space, shrinker(learning, sizer, folder, "relative taylor")
    whole, least = sizer.sizes(space.whole()).flash, sizer.sizes(space.smallest()).flash
    base = learning.teacher_score()
    learning.begin(learning.teacher, RUNGS // 2)
    rungs: list[tuple[Candidate, Graph]] = []
    for number in range(RUNGS if least < whole else 0):
        flash = least + (whole - least) / (2 << number)
        aim = np.minimum(wanted, [flash, np.inf, np.inf])
        each = sizer.narrow(walk, aim, f"1/{2 << number} of what can be cut")
        student = learning.probe(f"candidate{number}", each, space.realise(each.candidate))
        if base - learning.attempts[-1].metric > max_drop + UNFINISHED:
            break
        rungs.append((each.candidate, student))
    for number, (candidate, student) in reversed(list(enumerate(rungs[-2:]))):
        graph, metric = learning.finish(f"small{'ab'[number]}", student)
        if base - metric <= max_drop:
            return candidate, graph
    learning.notes.append("No smaller network stayed within the drop; nothing was cut.")
    return space.whole(), learning.teacher


def nothing_to_cut(learning: Learning, sizer: Sizer) -> tuple[Candidate, Graph]:
    """The original, whose integers hold all limits."""
    learning.notes.append("The original's integers hold all limits; nothing was cut.")
    return sizer.space.whole(), learning.teacher


def is_only_drop(limits: tuple[float | None, ...], max_drop: float | None) -> bool:
    """Whether a drop is the one limit that a person gave."""
    return max_drop is not None and all(value is None for value in limits)


def over(sizer: Sizer, wanted: Array) -> bool:
    """Whether the original breaks a limit."""
    return bool((as_array(sizer.sizes(sizer.space.whole())) > wanted).any())
