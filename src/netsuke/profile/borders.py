"""From borders that were written down to phases with their true peaks.

The kernel keeps the largest resident size of a process since it was last told to forget it. It is
read and forgotten at each border, so that between two borders b and c of one process

    peak(phase) = max { hwm(c) : start < t(c) <= end }

holds for nested phases, too.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from netsuke.profile.job import printable
from netsuke.profile.result import Phase

MOST = 1 << 50
"""Bytes that a process may say it has."""
LONGEST = 1 << 28
"""Bytes of borders that are read; a program that writes more marks phases in its inner loop."""


@dataclass(frozen=True, slots=True)
class Border:
    """A line of the protocol in `netsuke.profile.events`; times in seconds, sizes in bytes."""

    t: float
    pid: int
    event: str
    name: str
    cpu: float = 0.0
    rss: int = 0
    hwm: int = 0
    reset: bool = True
    value: float = math.nan


def read_borders(path: Path, begin: float, end: float) -> list[Border]:
    """The borders that a program wrote between `begin` and `end` (seconds, same clock).

    Lines that say nothing known, or what cannot be, are left out.
    """
    try:
        with open(path, "rb") as file:
            lines = file.read(min(LONGEST, os.fstat(file.fileno()).st_size)).splitlines()
    except OSError:
        return []
    borders = [border for border in map(_border, lines) if border is not None]
    return [border for border in borders if begin <= border.t <= end]


def _border(line: bytes) -> Border | None:
    try:
        fields = json.loads(line)
        return Border(
            t=_finite(fields["t"]),
            pid=int(fields["pid"]),
            event=str(fields["event"]),
            name=printable(str(fields["name"])),
            cpu=_finite(fields.get("cpu", 0.0)),
            rss=_size(fields.get("rss", 0)),
            hwm=_size(fields.get("hwm", 0)),
            reset=bool(fields.get("reset", False)),
            value=float(fields.get("value", math.nan)),
        )
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError):
        return None


def _size(value: object) -> int:
    size = int(value)  # type: ignore[call-overload]
    if not 0 <= size <= MOST:
        raise ValueError(size)
    return int(size)


def _finite(value: object) -> float:
    number = float(value)  # type: ignore[arg-type]
    if not math.isfinite(number):
        raise ValueError(number)
    return number


def phases(
    borders: Sequence[Border], begin: float, end: float, last: Mapping[int, int]
) -> tuple[Phase, ...]:
    """The phases between `begin` and `end` (seconds, same clock), in order of their start.

    Parameters
    ----------
    borders
        Of all processes; any order. Those of process 0 were found in the output and hold for all.
    begin, end
        Of the run; phases count their seconds from `begin`.
    last
        Last known peak of each process (bytes).
    """
    found: list[Phase] = []
    ordered = sorted(borders, key=lambda border: border.t)
    for pid in dict.fromkeys(border.pid for border in ordered):
        own = [border for border in ordered if border.pid == pid]
        found += _phases_of(own, own if pid else ordered, end, last.get(pid, 0))
    shifted = [replace(p, start=p.start - begin, end=p.end - begin) for p in found]
    return tuple(sorted(shifted, key=lambda phase: (phase.start, -phase.end)))


def _phases_of(borders: list[Border], peaks: list[Border], end: float, last: int) -> list[Phase]:
    """Phases of one process; one that is open at the end is cut there."""
    found: list[Phase] = []
    stack: list[Border] = []
    for border in borders:
        if border.event == "enter":
            stack.append(border)
        elif border.event == "exit":
            places = [i for i, open_ in enumerate(stack) if open_.name == border.name]
            if places:
                start = stack.pop(places[-1])
                found.append(_phase(start, border.t, border.cpu, peaks))
    closing = borders[-1] if borders and borders[-1].event == "end" else None
    for start in stack:
        until = closing.t if closing else max(end, start.t)
        cpu = closing.cpu if closing else math.nan
        cut = _phase(start, until, cpu, peaks)
        peak = cut.peak if closing else max(cut.peak, last)
        found.append(replace(cut, peak=peak, exact=cut.exact and closing is not None, whole=False))
    return found


def _phase(start: Border, end: float, cpu: float, borders: Iterable[Border]) -> Phase:
    inside = [border for border in borders if start.t < border.t <= end]
    return Phase(
        name=start.name,
        pid=start.pid,
        start=start.t,
        end=end,
        cpu=cpu - start.cpu,
        peak=max((border.hwm for border in inside), default=start.rss),
        exact=all(border.reset for border in [start, *inside[:-1]]),
        before=start.rss,
    )
