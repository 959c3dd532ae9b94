"""Ideas for designs: from importance, from every single change, and from the best so far.

Feasible by construction: an idea is narrowed where a limit is broken, by the units of least
importance for what they free of just that limit, and widened where there is room
(`netsuke.fit.sizing.Sizer.within`). Only what holds all limits is trained.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np

from netsuke.compress.edits import Edit
from netsuke.errors import NetsukeError
from netsuke.fit.design import Design, Sized
from netsuke.fit.sizing import Sizer
from netsuke.fit.space import DesignSpace
from netsuke.fit.surrogate import Surrogate
from netsuke.ir import Array

FACTORS = (0.5, 0.7, 0.85, 1.2, 1.45, 2.0)
TOGGLE, CROSS = 0.4, 0.25
"""Share of children that differ in an edit; that mix two parents."""
POOL = 6
"""Rough children for every one that is looked at closely."""


def first_ideas(
    space: DesignSpace, rng: np.random.Generator, short_of_ram: bool
) -> Iterator[Design]:
    """Endless ideas, the plain ones first."""
    whole = space.whole()
    yield Design(whole.widths, origin="least important units")
    yield Design(_share(whole.widths, 0.25), origin="a quarter everywhere")
    thrifty = space.smallest(1).edits if short_of_ram else ()
    if thrifty:
        yield _with(space, whole, thrifty, "everything that saves RAM")
    for family in space.families:
        yield Design(space.skeleton(family=family).whole, family=family, origin=family)
    singles = [edit for edit in space.edits if space.works((edit,))]
    kinds: dict[str, list[Edit]] = {}
    for edit in singles:
        kinds.setdefault(edit.kind, []).append(edit)
    # One of each kind before the second of any.
    for number in range(max(map(len, kinds.values()), default=0)):
        for members in kinds.values():
            if number < min(len(members), 4):
                yield _with(space, whole, (members[number],), str(members[number]))
    while True:
        chosen: tuple[Edit, ...] = ()
        for edit in _shuffled(singles, rng)[: int(rng.integers(0, 4))]:
            if space.works((*chosen, edit)):
                chosen = tuple(sorted((*chosen, edit)))
        design = _with(space, whole, chosen, "chance")
        yield _jittered(design, rng, len(design.widths))


def first(
    space: DesignSpace, sizer: Sizer, wanted: Array, count: int, rng: np.random.Generator
) -> list[Sized]:
    """The first generation: different designs that hold the limits."""
    short_of_ram = sizer.sizes(space.whole()).ram > wanted[1]
    return _distinct(first_ideas(space, rng, short_of_ram), sizer, wanted, count, ())


def children(
    space: DesignSpace,
    sizer: Sizer,
    wanted: Array,
    scored: Sequence[tuple[Design, float]],
    count: int,
    rng: np.random.Generator,
) -> list[Sized]:
    """Designs near the best of those that were scored, the most promising first.

    A child mixes two parents, takes or leaves an edit, or changes some widths. Of many rough
    children those are looked at closely that a ridge regression on all scores so far ranks best
    (`Surrogate`); with few scores, any.
    """
    ranked = sorted(scored, key=lambda pair: (-pair[1], pair[0].key))
    parents = [design for design, _ in ranked[: max(2, len(ranked) // 3)]]
    known = {design.key for design, _ in scored}
    pool: dict[str, Design] = {}
    for _ in range(POOL * count * 4):
        child = sizer.roughly(_child(space, parents, rng), wanted)
        if child.key not in known:
            pool.setdefault(child.key, child)
        if len(pool) >= POOL * count:
            break
    surrogate = Surrogate(space, scored)
    ordered = sorted(pool.values(), key=lambda child: (-surrogate(child), child.key))
    return _distinct(iter(ordered), sizer, wanted, count, known)


def _distinct(
    ideas: Iterator[Design],
    sizer: Sizer,
    wanted: Array,
    count: int,
    known: Collection[str],
) -> list[Sized]:
    found: dict[str, Sized] = {}
    for _ in range(3 * count + 3):
        idea = next(ideas, None)
        if idea is None or len(found) >= count:
            break
        try:
            sized = sizer.within(idea, wanted)
        except NetsukeError:
            continue  # a combination that this graph does not bear
        if sized is not None and sized.design.key not in known:
            found.setdefault(sized.design.key, sized)
    return list(found.values())


def _child(space: DesignSpace, parents: Sequence[Design], rng: np.random.Generator) -> Design:
    # Better parents more often: the rank falls as a geometric distribution.
    first, second = (parents[min(int(rng.geometric(0.35)) - 1, len(parents) - 1)] for _ in range(2))
    dice = float(rng.random())
    if dice < TOGGLE and space.edits and not first.family:
        return _jittered(_toggled(space, first, rng), rng, 1)
    if dice < TOGGLE + CROSS and not first.family and not second.family:
        return _crossed(space, first, second, rng)
    return _jittered(first, rng, int(rng.integers(1, 4)))


def _toggled(space: DesignSpace, design: Design, rng: np.random.Generator) -> Design:
    for edit in _shuffled(space.edits, rng):
        if edit in design.edits:
            chosen = tuple(other for other in design.edits if other != edit)
            return _with(space, design, chosen, f"without {edit}")
        kept = [other for other in design.edits if space.works((other, edit))]
        chosen = tuple(sorted((*kept, edit)))
        if space.works(chosen):
            return _with(space, design, chosen, f"with {edit}")
    return design


def _crossed(space: DesignSpace, first: Design, second: Design, rng: np.random.Generator) -> Design:
    other = _with(space, second, first.edits, "")
    take = rng.random(len(first.widths)) < 0.5
    widths = np.where(take, first.widths, other.widths)
    return Design(tuple(map(int, widths)), first.edits, origin="two parents")


def _jittered(design: Design, rng: np.random.Generator, count: int) -> Design:
    """The design with so many widths changed at random."""
    widths = list(design.widths)
    for index in rng.permutation(len(widths))[:count]:
        widths[index] = max(1, round(widths[index] * float(rng.choice(FACTORS))))
    origin = design.origin if "with" in design.origin else "other widths"
    return Design(tuple(widths), design.edits, design.family, origin)


def _with(space: DesignSpace, design: Design, chosen: tuple[Edit, ...], origin: str) -> Design:
    """A design with other edits: groups keep their share of units, by name."""
    before, after = space.skeleton_of(design), space.skeleton(tuple(sorted(chosen)))
    shares = {
        group.name: width / group.units
        for group, width in zip(before.groups, design.widths, strict=True)
    }
    mean = float(np.mean(list(shares.values()))) if shares else 1.0
    widths = tuple(
        max(1, round(shares.get(group.name, mean) * group.units)) for group in after.groups
    )
    return Design(widths, tuple(sorted(chosen)), origin=origin)


def _share(widths: Sequence[int], share: float) -> tuple[int, ...]:
    return tuple(max(1, round(width * share)) for width in widths)


def _shuffled(edits: Sequence[Edit], rng: np.random.Generator) -> list[Edit]:
    return [edits[int(index)] for index in rng.permutation(len(edits))]
