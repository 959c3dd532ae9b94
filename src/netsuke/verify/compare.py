"""Comparing outputs with what the graph means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netsuke.ir import Array, Graph

TOLERANCE = 1e-4
"""Largest difference of a float output from NumPy, relative to the output's largest value.

NumPy adds up in another order than a microcontroller does, so floats can only be close to it; they
must be the same bits wherever the C runs.
"""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The first value that is not what it should be.

    Attributes
    ----------
    where, against
        The place that computed it, and the place that it was compared with.
    tensor, sample, index
        The output, the sample's number and the index in one sample.
    expected, got
        The two values.
    count
        How many values of this output differ.
    """

    where: str
    against: str
    tensor: str
    sample: int
    index: tuple[int, ...]
    expected: float | int
    got: float | int
    count: int

    def __str__(self) -> str:
        return (
            f"{self.where} gives {self.got} where {self.against} gives {self.expected}: "
            f"{self.tensor!r}{list(self.index)} of sample {self.sample} "
            f"({self.count:,} such value(s))"
        )


def first_mismatch(
    graph: Graph, expected: Sequence[Array], got: Sequence[Array], where: str
) -> Mismatch | None:
    """The first difference from NumPy: any of an integer output, a large one of a float output."""
    for name, right, array in zip(graph.outputs, expected, got, strict=True):
        if right.dtype.kind == "f":
            bound = TOLERANCE * max(1.0, float(np.max(np.abs(right), initial=0.0)))
            with np.errstate(invalid="ignore"):
                wrong = ~(np.abs(right - array) <= bound)
            wrong &= ~((right == array) | (np.isnan(right) & np.isnan(array)))
        else:
            wrong = _stored(right) != _stored(array)
        found = _first(wrong, name, right, array, where, "NumPy")
        if found:
            return found
    return None


def first_difference(
    graph: Graph, expected: Sequence[Array], got: Sequence[Array], where: str, against: str
) -> Mismatch | None:
    """The first difference in bits between two places where the C ran; all NaN are equal."""
    for name, right, array in zip(graph.outputs, expected, got, strict=True):
        if right.dtype.kind == "f":
            wrong = right.view(np.uint32) != array.view(np.uint32)
            wrong &= ~(np.isnan(right) & np.isnan(array))
        else:
            wrong = _stored(right) != _stored(array)
        found = _first(wrong, name, right, array, where, against)
        if found:
            return found
    return None


def largest_error(expected: Sequence[Array], got: Sequence[Array]) -> float:
    """The largest difference of a float output from NumPy; 0.0 when there is none."""
    largest = 0.0
    for right, array in zip(expected, got, strict=True):
        if right.dtype.kind == "f" and right.size:
            with np.errstate(invalid="ignore"):
                largest = max(largest, float(np.nanmax(np.abs(right - array), initial=0.0)))
    return largest


def _stored(array: Array) -> Array:
    """Integers as they lie in memory: a truth value stored as 2 is no truth value."""
    return array.view(np.uint8) if array.dtype.kind == "b" else array


def _first(
    wrong: Array, name: str, expected: Array, got: Array, where: str, against: str
) -> Mismatch | None:
    places = np.argwhere(wrong)
    if not len(places):
        return None
    sample, *index = (int(number) for number in places[0])
    at = (sample, *index)
    return Mismatch(
        where,
        against,
        name,
        sample,
        tuple(index),
        expected[at].item(),
        got[at].item(),
        len(places),
    )
