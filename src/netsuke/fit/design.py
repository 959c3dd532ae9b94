"""A point of the design space: what is changed of the original, and how wide it stays."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from netsuke.compress.edits import Edit


@dataclass(frozen=True, slots=True)
class Design:
    """A network that a search may choose.

    Attributes
    ----------
    widths
        Units left in every channel group of the edited graph, in its order. Which units stay
        follows from their importance.
    edits
        Changes besides widths: dropped blocks, kernels, stride, input size and colour.
    family
        A network of the zoo (its spec) that takes the original's place; "" for the original.
    origin
        Where the idea came from; designs that differ in it alone are equal.
    """

    widths: tuple[int, ...]
    edits: tuple[Edit, ...] = ()
    family: str = ""
    origin: str = field(default="", compare=False)

    @property
    def key(self) -> str:
        """A short name that depends on nothing but the design."""
        text = json.dumps({**self.record(), "origin": ""}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def inputs(self) -> tuple[Edit, ...]:
        """The edits that change what the samples must be."""
        return tuple(edit for edit in self.edits if edit.kind.startswith("input"))

    def record(self) -> dict[str, Any]:
        """The design as plain values."""
        return {
            "widths": list(self.widths),
            "edits": [edit.record() for edit in self.edits],
            "family": self.family,
            "origin": self.origin,
        }

    @staticmethod
    def read(record: dict[str, Any]) -> Design:
        """The design of plain values."""
        return Design(
            tuple(record["widths"]),
            tuple(Edit.of(edit) for edit in record["edits"]),
            record["family"],
            record["origin"],
        )


@dataclass(frozen=True, slots=True)
class Sizes:
    """What a compiled design takes.

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
class Sized:
    """A design with its exact sizes."""

    design: Design
    sizes: Sizes
