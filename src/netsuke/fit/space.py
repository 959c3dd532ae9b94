"""What a search may choose: widths, edits, and whole families of the zoo.

A *skeleton* is the original after some edits, or a network of the zoo, with its channel groups and
the importance of their units. A design is a skeleton with widths.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from netsuke.compress.edits import Edit, apply_edits, edits, exclusive, view
from netsuke.data import Dataset
from netsuke.errors import NetsukeError
from netsuke.fit.cost import QuickCost
from netsuke.fit.design import Design
from netsuke.ir import Array, Graph
from netsuke.models import build
from netsuke.passes.channel_groups import ChannelGroup, channel_groups, cut

Importance = Callable[[Graph, Sequence[ChannelGroup]], tuple[Array, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Skeleton:
    """A graph that is cut to any widths.

    Attributes
    ----------
    graph
        Float, with the original's weights where they remain.
    groups
        Its channel groups.
    importance
        Of every unit of every group, ``(units,)`` each, above 0.
    quick
        Its cost as a function of widths.
    """

    graph: Graph
    groups: tuple[ChannelGroup, ...]
    importance: tuple[Array, ...]
    quick: QuickCost

    @property
    def whole(self) -> tuple[int, ...]:
        """Units of every group."""
        return tuple(group.units for group in self.groups)

    def kept(self, widths: Sequence[int]) -> tuple[tuple[int, ...], ...]:
        """The most important units of every group, in the order in which they stand."""
        return tuple(
            tuple(sorted(int(unit) for unit in np.argsort(-values, kind="stable")[:width]))
            for values, width in zip(self.importance, widths, strict=True)
        )


class DesignSpace:
    """All designs that come from one graph.

    Parameters
    ----------
    graph
        The original, or what a first shrinking left of it.
    data
        Samples as the original takes them.
    importance
        Importance of the graph's units, measured once; edited graphs inherit it group by group.
    rank
        Importance for groups that have none yet (changed widths, networks of the zoo).
    families
        Specs of zoo networks that may take the original's place.
    """

    def __init__(
        self,
        graph: Graph,
        data: Dataset,
        importance: tuple[Array, ...] | None,
        rank: Importance,
        families: Sequence[str] = (),
    ) -> None:
        self.graph, self.data, self.rank = graph, data, rank
        self.families = tuple(families)
        self.groups = channel_groups(graph)
        measured = rank(graph, self.groups) if importance is None else importance
        self._known = dict(zip((g.name for g in self.groups), measured, strict=True))
        self._skeletons: dict[tuple[tuple[Edit, ...], str], Skeleton] = {}
        self._views: dict[tuple[Edit, ...], Dataset] = {}

    @cached_property
    def edits(self) -> tuple[Edit, ...]:
        """Everything that may be changed besides widths, of the graph and of its data."""
        few = _first_sample(self.data)
        return tuple(edit for edit in edits(self.graph) if _is_visible(few, edit))

    def skeleton(self, chosen: tuple[Edit, ...] = (), family: str = "") -> Skeleton:
        """The graph after some edits, or a network of the zoo; made once.

        Raises
        ------
        NetsukeError
            When the edits do not go together.
        """
        key = (chosen, family)
        if key not in self._skeletons:
            self._skeletons[key] = self._make(chosen, family)
        return self._skeletons[key]

    def _make(self, chosen: tuple[Edit, ...], family: str) -> Skeleton:
        graph = build(family) if family else apply_edits(self.graph, chosen)
        groups = channel_groups(graph) if chosen or family else self.groups
        own = None
        ranked = []
        for number, group in enumerate(groups):
            values = self._known.get(group.name) if not family else None
            if values is None or len(values) != group.units:
                own = own or self.rank(graph, groups)
                values = own[number]
            ranked.append(values)
        return Skeleton(graph, groups, tuple(ranked), QuickCost(graph, groups))

    def skeleton_of(self, design: Design) -> Skeleton:
        return self.skeleton(design.edits, design.family)

    def works(self, chosen: Sequence[Edit]) -> bool:
        """Whether some edits go together."""
        if any(exclusive(a, b) for i, a in enumerate(chosen) for b in chosen[:i]):
            return False
        try:
            self.skeleton(tuple(sorted(chosen)))
        except NetsukeError:
            return False
        return True

    def whole(self) -> Design:
        """The original itself."""
        return Design(tuple(group.units for group in self.groups), origin="original")

    def smallest(self, limit: int) -> Design:
        """The design that takes the least of one limit (0 flash, 1 RAM, 2 instructions).

        One channel in every group, and every edit that makes the quick cost smaller, taken one
        by one; what costs nothing less is left out. Edits are tried on the graph of one channel,
        where they take milliseconds.
        """
        tiny = cut(self.graph, self.groups, [(0,) for _ in self.groups])
        chosen: tuple[Edit, ...] = ()
        cost = _cost(tiny)
        for edit in self.edits:
            if any(exclusive(edit, other) for other in chosen):
                continue
            trial = tuple(sorted((*chosen, edit)))
            try:
                less = _cost(apply_edits(tiny, trial))
            except NetsukeError:
                continue  # too small for another edit, too
            if (less[limit], less.sum()) < (cost[limit], cost.sum()):
                chosen, cost = trial, less
        count = len(self.skeleton(chosen).groups)
        return Design((1,) * count, chosen, origin="one channel everywhere")

    def realise(self, design: Design) -> Graph:
        """The float graph of a design, with inherited weights where they remain."""
        skeleton = self.skeleton_of(design)
        if design.widths == skeleton.whole:
            return skeleton.graph
        return cut(skeleton.graph, skeleton.groups, skeleton.kept(design.widths))

    def data_of(self, design: Design) -> Dataset:
        """The samples as a design takes them."""
        if design.family or not design.edits:
            return self.data
        key = design.inputs
        if key not in self._views:
            self._views[key] = view(self.data, key) if key else self.data
        return self._views[key]


def _first_sample(data: Dataset) -> Dataset:
    """The data set with one stored sample in each part."""
    train, validation, test = (
        replace(part, stored=part.stored[part.indices[:1]], indices=np.zeros(1, np.int64))
        for part in data.parts.values()
    )
    return replace(data, train=train, validation=validation, test=test)


def _is_visible(data: Dataset, edit: Edit) -> bool:
    """Whether the data can be shown as an edit of the input asks for."""
    try:
        view(data, (edit,))
    except NetsukeError:
        return False
    return True


def _cost(graph: Graph) -> Array:
    """Quick cost of a graph at its own widths."""
    groups = channel_groups(graph)
    return QuickCost(graph, groups)(np.array([group.units for group in groups]))


def named(design: Design, origin: str) -> Design:
    """The same design with another origin."""
    return replace(design, origin=origin)
