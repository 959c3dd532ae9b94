"""Memory of one plan: how many bytes, and which of them are in use when."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from netsuke.schedule.lives import Stay

ALIGNMENT = 4
"""Every tensor and scratch buffer starts at a multiple of this many bytes."""


def aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


Run: TypeAlias = tuple[int, int, int, int]
"""First step, last step, and from which byte to which end a buffer is in use meanwhile."""


@dataclass(slots=True)
class Buffer:
    """Memory that one or several tensors share.

    Attributes
    ----------
    name
        The first tensor's name, or ``node:scratch``.
    size
        Bytes from its start to the highest end at any step, aligned.
    start, end
        First and last step at which some of it must not be overwritten; a graph input starts at
        -1, a graph output ends after the last step.
    runs
        What is in use from step to step: working in place, it shrinks and grows at its upper end;
        consumed row by row, it shrinks from below. By default the bytes never change.
    """

    name: str
    size: int
    start: int
    end: int
    runs: tuple[Run, ...] = ()

    def __post_init__(self) -> None:
        self.runs = self.runs or ((self.start, self.end, 0, self.size),)

    def at(self, step: int) -> int:
        """Bytes that it takes at a step."""
        return next((high - low for a, b, low, high in self.runs if a <= step <= b), 0)

    def clearance(self, other: Buffer) -> int | None:
        """How far above this start the other one must start to lie above all that is in use.

        None when the two are never in use at one step.
        """
        if self.end < other.start or other.end < self.start:
            return None
        if len(self.runs) == len(other.runs) == 1:
            return self.runs[0][3] - other.runs[0][2]
        most: int | None = None
        theirs = 0
        for first, last, _, high in self.runs:
            while theirs < len(other.runs) and other.runs[theirs][1] < first:
                theirs += 1
            for run in itertools.islice(other.runs, theirs, None):
                if run[0] > last:
                    break
                most = high - run[2] if most is None else max(most, high - run[2])
        return most


def buffer_of(key: str, stays: Sequence[Stay]) -> Buffer:
    """The buffer of everything that must be kept in one memory."""
    runs = _runs(stays)
    size = max((high for *_, high in runs), default=0)
    start, end = (runs[0][0], runs[-1][1]) if runs else (0, -1)
    return Buffer(key, size, start, end, runs)


def _runs(stays: Sequence[Stay]) -> tuple[Run, ...]:
    """From the lowest to the highest byte that must be kept, step by step."""
    steps = sorted({step for born, last, *_ in stays for step in (born, last + 1)})
    place = {step: index for index, step in enumerate(steps)}
    lows, highs = [1 << 62] * len(steps), [0] * len(steps)
    for born, last, low, high in stays:
        for index in range(place[born], place[last + 1]):
            lows[index], highs[index] = min(lows[index], low), max(highs[index], high)
    runs: list[Run] = []
    for first, after, low, high in zip(steps, steps[1:], lows, highs, strict=False):
        if low >= high:
            continue
        run = (first, after - 1, low // ALIGNMENT * ALIGNMENT, aligned(high))
        if runs and runs[-1][1:] == (first - 1, *run[2:]):
            run = (runs.pop()[0], *run[1:])
        runs.append(run)
    return tuple(runs)
