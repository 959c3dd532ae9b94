"""One change of a network's design, and what each kind of change has to say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from netsuke.errors import UsageError
from netsuke.ir import Graph


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """One change; two different ones of the same kind at the same place exclude each other.

    Attributes
    ----------
    kind
        ``"drop_block"``, ``"shrink_kernel"``, ``"stem_stride"``, ``"input_size"`` or
        ``"input_colour"``.
    place
        Name of the node or tensor that it is about.
    value
        What is chosen there: a number, or a text.
    """

    kind: str
    place: str
    value: str | int

    def record(self) -> dict[str, str | int]:
        """Plain values for JSON."""
        return {"kind": self.kind, "place": self.place, "value": self.value}

    @staticmethod
    def of(record: Mapping[str, Any]) -> Edit:
        """The edit of a record.

        Raises
        ------
        UsageError
            When it is none.
        """
        kind, place, value = (record.get(name) for name in ("kind", "place", "value"))
        if not isinstance(kind, str) or not isinstance(place, str) or len(record) != 3:
            raise UsageError(f"{dict(record)!r} is no edit: kind, place and value are needed")
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise UsageError(f"{dict(record)!r} is no edit: its value is neither number nor text")
        return Edit(kind, place, value)

    def __str__(self) -> str:
        return f"{self.kind} {self.place} {self.value}"


def exclusive(a: Edit, b: Edit) -> bool:
    """Whether two edits cannot both be chosen: they decide one thing differently."""
    return a != b and (a.kind, a.place) == (b.kind, b.place)


def ordered(chosen: Iterable[Edit]) -> list[Edit]:
    """Edits, each once, in an order that does not depend on the one in which they come.

    Raises
    ------
    UsageError
        When two of them exclude each other.
    """
    edits = sorted(set(chosen), key=lambda edit: (edit.kind, edit.place, str(edit.value)))
    for first, second in pairwise(edits):
        if exclusive(first, second):
            raise UsageError(f"'{first}' and '{second}' exclude each other; choose one")
    return edits


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of edit.

    Attributes
    ----------
    name
        What `Edit.kind` says.
    offers
        All edits of this kind that a graph offers, in a fixed order.
    apply
        The graph with some edits of this kind, at most one a place. The last argument is the
        graph before edits of other kinds, which is what the edits speak of. Raises GraphError,
        naming the place, for one that cannot be.
    """

    name: str
    offers: Callable[[Graph], tuple[Edit, ...]]
    apply: Callable[[Graph, Sequence[Edit], Graph], Graph]
