"""Designs of a run as the page shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WORDS = {
    "drop_block": "block {place} dropped ({value})",
    "shrink_kernel": "kernel of {place}: {value}",
    "stem_stride": "stride of {place}: {value}",
    "input_size": "input of {value} pixels",
    "input_colour": "input in {value}",
}
"""What an edit is for eyes, by its kind."""


@dataclass(frozen=True, slots=True)
class Width:
    """A channel group: units of the original (None: it has no such group), and units left."""

    name: str
    before: int | None
    after: int

    @property
    def share(self) -> float:
        """Part of the units that is left, 0 to 1."""
        return min(1.0, self.after / max(self.before or self.after, 1))


@dataclass(frozen=True, slots=True)
class Shown:
    """A design that was tried.

    Attributes
    ----------
    number
        Its place on the page, from 1.
    origin, changes
        Where the idea came from, and what was changed besides widths.
    widths
        Of its channel groups.
    flash, ram, instructions
        Bytes and executed instructions.
    score, rung
        Points on validation data in float, and how far it came.
    front, chosen
        Whether no other design beats it, and whether it is the one that ships.
    scores, losses
        Of each rung, and of each epoch of all rungs.
    """

    number: int
    origin: str
    changes: tuple[str, ...]
    widths: tuple[Width, ...]
    flash: int
    ram: int
    instructions: int
    score: float
    rung: int
    front: bool
    chosen: bool
    scores: tuple[float, ...]
    losses: tuple[float, ...]


def edit_words(edit: Mapping[str, Any]) -> str:
    """An edit for eyes."""
    words = WORDS.get(str(edit["kind"]), "{kind} {place} {value}")
    return words.format(**{name: str(edit[name]) for name in ("kind", "place", "value")})


def changes(record: Mapping[str, Any]) -> tuple[str, ...]:
    """What a design's record changes besides widths, for eyes."""
    found = tuple(map(edit_words, record["edits"]))
    return (f"{record['family']} in the original's place", *found) if record["family"] else found


def shown_designs(result: Mapping[str, Any]) -> list[Shown]:
    """The designs of a ``result.json``, in the order in which they began."""
    original = {name: int(pair[0]) for name, pair in result["widths"].items()}
    return [
        _shown(number, attempt, original, attempt["key"] == result["design"]["key"])
        for number, attempt in enumerate(result["attempts"], start=1)
    ]


def _shown(
    number: int, attempt: Mapping[str, Any], original: Mapping[str, int], chosen: bool
) -> Shown:
    sizes, history = attempt["sizes"], attempt["history"]
    return Shown(
        number=number,
        origin=str(attempt["origin"]),
        changes=changes(attempt),
        widths=tuple(_widths(attempt, original)),
        flash=int(sizes["flash"]),
        ram=int(sizes["ram"]),
        instructions=int(sizes["instructions"]),
        score=float(attempt["metric"]),
        rung=int(attempt["rung"]),
        front=bool(attempt["front"]),
        chosen=chosen,
        scores=tuple(float(entry["score"]) for entry in history),
        losses=tuple(float(loss) for entry in history for loss in entry["losses"]),
    )


def _widths(attempt: Mapping[str, Any], original: Mapping[str, int]) -> Sequence[Width]:
    """Widths by group; groups of the original that went with their block have none left."""
    groups: Mapping[str, Sequence[int]] = attempt["groups"]
    if attempt["family"]:
        return [Width(name, None, int(left)) for name, (left, _) in groups.items()]
    left = {name: int(pair[0]) for name, pair in groups.items()}
    return [Width(name, before, left.get(name, 0)) for name, before in original.items()]
