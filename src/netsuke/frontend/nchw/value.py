"""A value of the model being imported, as the model file shows it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from netsuke.ir import Array, Quant


class CannotImportError(Exception):
    """One node cannot be expressed; the text says why. Importers collect these."""


class BatchAxisError(CannotImportError):
    """A node works on the axis that was taken for the batch axis; another assumption may help."""


def surviving_axis(before: Sequence[int], axis: int, after: Sequence[int]) -> int | None:
    """Where an axis stands after a reshape, or None when the reshape merges or splits it."""
    outer = math.prod(before[:axis])
    for position, extent in enumerate(after):
        if extent == before[axis] and math.prod(after[:position]) == outer:
            return position
    return None


@dataclass(frozen=True, slots=True, eq=False)
class Twin:
    """The stored integers of a constant that the file holds quantized."""

    stored: Array
    quant: Quant

    def transpose(self, axes: Sequence[int]) -> Twin:
        axis = self.quant.axis
        quant = self.quant if axis is None else replace(self.quant, axis=tuple(axes).index(axis))
        return Twin(self.stored.transpose(axes), quant)

    def reshape(self, shape: Sequence[int]) -> Twin | None:
        """The same integers in another shape, or None when the scales' axis does not survive."""
        stored = self.stored.reshape(shape)
        if self.quant.axis is None:
            return Twin(stored, self.quant)
        axis = surviving_axis(self.stored.shape, self.quant.axis, shape)
        return None if axis is None else Twin(stored, replace(self.quant, axis=axis))


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """One value, known (a constant) or computed (a tensor under construction).

    Attributes
    ----------
    label
        Name in the model file, or the nearest to it.
    shape
        As the model file shows it, with the batch axis.
    dtype
        Element type.
    batch
        Where the batch axis stands in `shape`; that axis is not stored. None: all is stored.
    tensor
        Name of the builder's tensor, for a computed value.
    data
        The array, of the stored shape, for a known value.
    twin
        For a known real value: the integers that stand for it in the file.
    """

    label: str
    shape: tuple[int, ...]
    dtype: str
    batch: int | None = None
    tensor: str = ""
    data: Array | None = None
    twin: Twin | None = None

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def stored(self) -> tuple[int, ...]:
        """Shape of one sample, which is what the graph holds."""
        return without(self.shape, self.batch)


def without(shape: Sequence[int], axis: int | None) -> tuple[int, ...]:
    """A shape without one axis."""
    return tuple(extent for position, extent in enumerate(shape) if position != axis)
