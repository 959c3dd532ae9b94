"""Which positions of tensors belong together, so that a channel is cut everywhere or nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from netsuke.ir.tensor import Array

Slot: TypeAlias = tuple[str, int, int]
"""An axis of an argument: ``("in", 0, 2)`` is the last axis of an (h, w, c) first input."""


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """Positions along two axes of a node's arguments that can only be cut together.

    Attributes
    ----------
    first, second
        The axes; the same one twice ties positions of one axis to each other.
    positions
        Two integer arrays that broadcast against each other: position ``positions[0][k]`` of
        `first` belongs to ``positions[1][k]`` of `second`. None: each to the same position.
    """

    first: Slot
    second: Slot
    positions: tuple[Array, Array] | None = None

    def pairs(self, extent: int) -> tuple[Array, Array]:
        """The positions written out, for a first axis of this extent."""
        if self.positions is None:
            return np.arange(extent), np.arange(extent)
        first, second = np.broadcast_arrays(*self.positions)
        return first.ravel(), second.ravel()
