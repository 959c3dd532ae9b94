"""Matrices of small integers as bytes: the smallest of three ways to write them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import numpy as np

from netsuke.ir import Array


@dataclass(frozen=True, slots=True, eq=False)
class Coding:
    """A matrix as tables.

    Attributes
    ----------
    name
        ``"dense"``, ``"gaps"``, ``"nibbles"``, ``"columns"``, ``"column_nibbles"`` or
        ``"chunk_nibbles"``; see projection.h.
    codes
        uint8, row after row; columns or chunks of them one after another.
    counts
        uint8, entries of each row; None where the codes tell.
    """

    name: str
    codes: Array
    counts: Array | None

    @property
    def size(self) -> int:
        """Bytes of the tables."""
        return self.codes.nbytes + (0 if self.counts is None else self.counts.nbytes)

    @property
    def entries(self) -> int:
        """Multiplications for one sample."""
        return len(self.codes) // (2 if self.name in ("gaps", "columns") else 1)


def smallest_coding(weights: Array, bound: int) -> Coding:
    """The coding with the fewest bytes; of equal ones the faster.

    Parameters
    ----------
    weights
        int8 matrix ``(rows, features)``.
    bound
        Largest accumulator; nibbles need four bits more, see projection.h.
    """
    plain = np.ascontiguousarray(weights, np.int8).view(np.uint8).ravel()
    found = [Coding("dense", plain, None)]
    gaps = _sparse("gaps", weights, 255)
    if gaps is not None:
        found.append(gaps)
    if bound < 1 << 27 and weights.size and int(weights.min()) >= -8 and int(weights.max()) <= 7:
        nibbles = _sparse("nibbles", weights, 15)
        if nibbles is not None:
            found.append(nibbles)
    return min(found, key=lambda coding: coding.size)


def column_coding(weights: Array, bound: int) -> Coding | None:
    """The coding for inputs that come one by one, or None when it cannot be written.

    Parameters
    ----------
    weights
        int8 matrix ``(rows, features)``.
    bound
        Largest accumulator; one byte an entry needs it within 16 bits.
    """
    rows = weights.shape[0]
    if rows > 127:
        return None
    small = rows <= 8 and bound < 1 << 15 and weights.min() >= -8 and weights.max() <= 7
    codes: list[int] = []
    for column in weights.T:
        own = np.flatnonzero(column).tolist() or [0]
        for row in own:
            head, weight = 2 * row + (row != own[-1]), int(column[row])
            codes += [(weight & 15) << 4 | head] if small else [head, weight & 255]
    if len(codes) > 65535:
        return None
    return Coding("column_nibbles" if small else "columns", np.array(codes, np.uint8), None)


def chunk_coding(weights: Array, bound: int, chunk: int) -> Coding | None:
    """The coding for inputs that come in chunks, or None when it cannot be written.

    Parameters
    ----------
    weights
        int8 matrix ``(rows, features)``.
    bound
        Largest accumulator; sixteen times of it must lie within 24 bits.
    chunk
        Elements that come at once, at most 253.
    """
    if chunk > 253 or bound << 4 >= 1 << 23 or weights.min() < -8 or weights.max() > 7:
        return None
    codes: list[int] = []
    for start in range(0, weights.shape[1], chunk):
        part = _sparse("nibbles", weights[:, start : start + chunk], 15)
        assert part is not None and part.counts is not None
        entries = iter(part.codes.tolist())
        for count in part.counts.tolist():
            codes += [count + 2, *islice(entries, count)]
    return Coding("chunk_nibbles", np.array(codes, np.uint8), None) if len(codes) < 65536 else None


def decoded(coding: Coding, shape: tuple[int, int]) -> Array:
    """The int8 matrix that a coding stands for."""
    if coding.counts is None:
        return coding.codes.view(np.int8).reshape(shape)
    weights = np.zeros(shape, np.int8)
    entries = coding.codes.reshape(-1, 2) if coding.name == "gaps" else coding.codes
    start = 0
    for row, count in zip(weights, coding.counts.tolist(), strict=True):
        own = entries[start : start + count]
        start += count
        gap = own[:, 0] if coding.name == "gaps" else own & 15
        weight = own[:, 1].view(np.int8) if coding.name == "gaps" else own.view(np.int8) >> 4
        np.add.at(row, np.cumsum(gap.astype(int)), weight)
    return weights


def _sparse(name: str, weights: Array, reach: int) -> Coding | None:
    """Entries of gap and weight, or None when a row has more than a byte can count."""
    codes: list[int] = []
    counts = []
    for row in weights:
        before = len(codes)
        place = 0
        for column in np.flatnonzero(row).tolist():
            while column - place > reach:
                codes += _entry(name, reach, 0)
                place += reach
            codes += _entry(name, column - place, int(row[column]))
            place = column
        counts.append((len(codes) - before) // len(_entry(name, 0, 0)))
    if max(counts, default=0) > 255:
        return None
    return Coding(name, np.array(codes, np.uint8), np.array(counts, np.uint8))


def _entry(name: str, gap: int, weight: int) -> list[int]:
    if name == "gaps":
        return [gap, weight & 255]
    return [(weight & 15) << 4 | gap]
