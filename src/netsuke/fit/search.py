"""The search: generations of feasible designs, successive halving, the best learns on.

Cheap before dear (Jamieson & Talwalkar 2016, arXiv:1502.07943): all designs learn a little, a
third of them three times as much, a ninth nine times. Before that nothing is trained that does not
hold the limits; after the first generation, new designs come from the best of those before.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from netsuke.errors import NoDesignError
from netsuke.fit.design import Design, Sized, Sizes
from netsuke.fit.effort import Effort
from netsuke.fit.learning import Learning
from netsuke.fit.propose import children, first
from netsuke.fit.sizing import Sizer
from netsuke.fit.space import DesignSpace
from netsuke.ir import Array, Graph


def search(
    learning: Learning, space: DesignSpace, sizer: Sizer, wanted: Array, effort: Effort
) -> tuple[Sized, Graph]:
    """Return the best design that holds `wanted`, and its graph as far as it has learned."""
    rungs = effort.rungs
    pool: dict[str, Sized] = {}
    scores: dict[str, float] = {}
    for number, count in enumerate(effort.generations):
        learning.bar.at(f"designs of generation {number + 1}", number, len(effort.generations))
        fresh = _generation(learning, space, sizer, wanted, number, count, pool, scores)
        for each in fresh:
            pool[each.design.key] = each
        scores |= learning.rung(space, fresh, 0, rungs[0][1])
    if not scores:
        raise NoDesignError(
            *("flash", int(sizer.sizes(space.whole()).flash), int(wanted[0])),
            culprit="the network between",
            tried=len(sizer.known),
        )
    place = 0
    for place, (count, visits) in enumerate(rungs[1:], start=1):
        ranked = sorted(scores, key=lambda key: (-scores[key], key))[:count]
        _close(learning, [pool[key].design for key in scores if key not in ranked])
        scores = learning.rung(space, [pool[key] for key in ranked], place, visits)
    best = min(scores, key=lambda key: (-scores[key], key))
    for key in scores:
        learning.trials.close(pool[key].design, chosen=key == best)
    return pool[best], learning.graph_of(space, pool[best].design, place)


def _generation(
    learning: Learning,
    space: DesignSpace,
    sizer: Sizer,
    wanted: Array,
    number: int,
    count: int,
    pool: dict[str, Sized],
    scores: dict[str, float],
) -> list[Sized]:
    """The designs of a generation; a resumed run reads them, and what their sizing taught."""

    def make() -> dict[str, Any]:
        rng = np.random.default_rng([learning.recipe.seed, number])
        if number == 0:
            found = first(space, sizer, wanted, count, rng)
            found = _proved(sizer, wanted, found)
        else:
            scored = [(pool[key].design, value) for key, value in scores.items()]
            found = children(space, sizer, wanted, scored, count, rng)
        designs = [[each.design.record(), asdict(each.sizes)] for each in found]
        return {"designs": designs, "sizer": sizer.record()}

    record = learning.folder.values(f"generation{number}", make)
    sizer.restore(record["sizer"])
    return [Sized(Design.read(d), Sizes(**s)) for d, s in record["designs"]]


def _proved(sizer: Sizer, wanted: Array, found: list[Sized]) -> list[Sized]:
    """The designs, after a linker and an emulator have corrected the models on the first."""
    if not found:
        return found
    first_one = sizer.proved_within(found[0].design, wanted)
    sure = Sized(first_one.design, sizer.sizes(first_one.design))
    rest: dict[str, Sized] = {sure.design.key: sure}
    for each in found[1:]:
        again = each if sizer.holds(each.sizes, wanted) else sizer.within(each.design, wanted)
        if again is not None:
            rest.setdefault(again.design.key, again)
    return list(rest.values())


def _close(learning: Learning, designs: list[Design]) -> None:
    for design in designs:
        learning.trials.close(design, chosen=False)
