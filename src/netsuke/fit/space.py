"""What a search may choose: the channels that every layer keeps.

A later search replaces `netsuke.fit.shrink`, which walks through this space one way, by
anything that makes `Candidate`s; nothing else has to change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from netsuke.ir import Graph
from netsuke.passes.channel_groups import ChannelGroup, channel_groups, cut


@dataclass(frozen=True, slots=True)
class Candidate:
    """A point of the space: which units every group keeps, and where the idea came from."""

    kept: tuple[tuple[int, ...], ...]
    origin: str = ""

    @property
    def widths(self) -> tuple[int, ...]:
        """Units left in every group."""
        return tuple(map(len, self.kept))


@dataclass(frozen=True, slots=True)
class Sizes:
    """What a compiled candidate takes.

    Attributes
    ----------
    flash
        Bytes of weights, parameters and code.
    ram
        Bytes of the planned arenas: exact.
    instructions
        Executed instructions of one inference.
    peak_node
        Node during which the arena is fullest.
    largest_node
        Node with the largest constants.
    flash_source, instructions_source
        ``"modelled"``, ``"linked"`` (flash) or ``"emulated"`` (instructions).
    """

    flash: int
    ram: int
    instructions: int
    peak_node: str
    largest_node: str
    flash_source: str = "modelled"
    instructions_source: str = "modelled"


@dataclass(frozen=True, slots=True)
class Score:
    """What is known of a candidate: its sizes, and points of the metric on the search's data."""

    sizes: Sizes
    metric: float


class SearchSpace(Protocol):
    """Everything a search needs to know of a space."""

    def whole(self) -> Candidate:
        """The candidate that is the original."""

    def smallest(self) -> Candidate:
        """The smallest candidate; if it does not fit, none does."""

    def realise(self, candidate: Candidate) -> Graph:
        """The float graph of a candidate, with the original's weights where they remain."""


class ChannelSpace:
    """Candidates that keep some channels of every group of a graph.

    Attributes
    ----------
    graph
        The original.
    groups
        Its channel groups.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.groups: tuple[ChannelGroup, ...] = channel_groups(graph)

    def whole(self) -> Candidate:
        return Candidate(tuple(tuple(range(group.units)) for group in self.groups), "original")

    def smallest(self) -> Candidate:
        return Candidate(tuple((0,) for _ in self.groups), "one channel everywhere")

    def realise(self, candidate: Candidate) -> Graph:
        return cut(self.graph, self.groups, candidate.kept)
