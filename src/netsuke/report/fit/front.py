"""The designs of a run as a chart: what each takes along x, its score up; points can be chosen."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from netsuke.report.fit.designs import Shown
from netsuke.report.svg import WIDTH, kib, nice_step

LEFT, RIGHT, TOP, HEIGHT = 64, 24, 28, 300
DEEPEST = 40.0
"""Points below the best that are drawn in place; a hopeless design must not flatten the others."""


def counted(number: float) -> str:
    """Instructions for eyes."""
    if number < 1e4:
        return f"{number:,.0f}"
    return f"{number / 1e3:,.4g} k" if number < 1e6 else f"{number / 1e6:,.4g} M"


@dataclass(frozen=True, slots=True)
class Axis:
    """A quantity along x: its key, its name, and its numbers for eyes."""

    key: str
    name: str
    text: Callable[[float], str]


AXES = (
    Axis("flash", "flash", kib),
    Axis("ram", "RAM", kib),
    Axis("instructions", "instructions an inference", counted),
)


@dataclass(frozen=True, slots=True)
class Mark:
    """A network that was judged on the test part: the original, or the chosen one."""

    name: str
    kind: str
    value: float
    score: float


class _Frame:
    """Places of values: logarithmic along x, linear up, clamped at the lower edge."""

    def __init__(self, values: Sequence[float], scores: Sequence[float]) -> None:
        self.low, self.high = min(values) / 1.12, max(values) * 1.12
        bottom = max(min(scores), max(scores) - DEEPEST)
        pad = max(0.08 * (max(scores) - bottom), 0.5)
        self.bottom, self.top = bottom - pad, max(scores) + pad

    def x(self, value: float) -> float:
        share = math.log(max(value, 1e-9) / self.low) / math.log(self.high / self.low)
        return LEFT + (WIDTH - LEFT - RIGHT) * min(max(share, 0.0), 1.0)

    def y(self, score: float) -> float:
        share = (score - self.bottom) / (self.top - self.bottom)
        return TOP + HEIGHT * (1.0 - min(max(share, 0.0), 1.0))


def front_chart(
    designs: Sequence[Shown], marks: Sequence[Mark], axis: Axis, bound: float | None, score: str
) -> str:
    """Designs by one quantity; each is a link to its card.

    Parameters
    ----------
    designs
        What was tried, judged on validation data.
    marks
        The original and the chosen network.
    axis
        The quantity along x.
    bound
        Its limit, or None; one far beyond all designs is not drawn.
    score
        Name of the score.
    """
    values = [float(getattr(design, axis.key)) for design in designs]
    values += [mark.value for mark in marks]
    values = [max(value, 1.0) for value in values]
    if not values:
        return ""
    near = bound is not None and min(values) / 2 <= bound <= 2 * max(values)
    scores = [design.score for design in designs] + [mark.score for mark in marks]
    frame = _Frame([*values, bound] if bound is not None and near else values, scores)
    parts = [*_axes(frame, axis, score)]
    if bound is not None and near:
        parts.append(_limit(frame.x(bound), f"limit {axis.text(bound)}"))
    ordered = sorted(designs, key=lambda each: (each.chosen, each.front))
    parts += [_spot(frame, design, axis) for design in ordered]
    parts += [_mark(frame, mark, axis) for mark in marks]
    return (
        f'<svg class="front {axis.key}" viewBox="0 0 {WIDTH} {TOP + HEIGHT + 48}" role="group" '
        f'aria-label="{escape(score)} against {axis.name}">{"".join(parts)}</svg>'
    )


def _axes(frame: _Frame, axis: Axis, score: str) -> list[str]:
    parts = []
    for value in _linear(frame.bottom, frame.top):
        y = frame.y(value)
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>'
        )
    for value in ticks(frame.low, frame.high, axis.key != "instructions"):
        x = frame.x(value)
        parts.append(
            f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{TOP + HEIGHT}"/>'
            f'<text x="{x:.1f}" y="{TOP + HEIGHT + 18}" text-anchor="middle">'
            f"{axis.text(value)}</text>"
        )
    foot = TOP + HEIGHT + 40
    parts.append(f'<text x="{LEFT}" y="{foot}">{axis.name} → {escape(score)} ↑</text>')
    return parts


def _limit(x: float, text: str) -> str:
    anchor, shift = ("end", -5) if x > WIDTH / 2 else ("start", 5)
    return (
        f'<line class="limit" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 14}" y2="{TOP + HEIGHT}"/>'
        f'<text class="limit" x="{x + shift:.1f}" y="{TOP - 8}" text-anchor="{anchor}">'
        f"{text}</text>"
    )


def _spot(frame: _Frame, design: Shown, axis: Axis) -> str:
    value = float(getattr(design, axis.key))
    x, y = frame.x(value), frame.y(design.score)
    kinds = ["spot", *(("front",) if design.front else ()), *(("taken",) if design.chosen else ())]
    title = (
        f"design {design.number}: {design.origin}\n{axis.text(value)}, {design.score:.2f}, "
        f"rung {design.rung}"
    )
    return (
        f'<a class="{" ".join(kinds)}" href="#design-{design.number}" '
        f'data-design="{design.number}"><title>{escape(title)}</title>'
        f'<circle class="reach" cx="{x:.1f}" cy="{y:.1f}" r="13"/>'
        f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="{5 + min(design.rung, 3)}"/></a>'
    )


def _mark(frame: _Frame, mark: Mark, axis: Axis) -> str:
    x, y = frame.x(mark.value), frame.y(mark.score)
    anchor, shift = ("end", -16) if x > WIDTH / 2 else ("start", 16)
    title = f"{mark.name}\n{axis.text(mark.value)}, {mark.score:.2f}"
    return (
        f'<g class="{mark.kind}"><title>{escape(title)}</title>'
        f'<path d="M{x:.1f} {y - 8:.1f} l8 8 l-8 8 l-8 -8 z"/>'
        f'<text x="{x + shift:.1f}" y="{y - 7:.1f}" text-anchor="{anchor}">'
        f"{escape(mark.name)}</text></g>"
    )


def _linear(low: float, high: float) -> list[float]:
    """Round values between two."""
    step = nice_step(high - low) if high - low < 4096 else (high - low) / 4
    first = math.ceil(low / step)
    return [step * number for number in range(first, first + 16) if step * number <= high]


def ticks(low: float, high: float, binary: bool) -> list[float]:
    """At most eight round values for a logarithmic axis.

    Powers of two for bytes, 1, 2, 5 times a power of ten for counts; round steps where the axis
    is short.
    """
    if high / low < 6:
        return _linear_large(low, high, binary)
    if binary:
        first, last = math.ceil(math.log2(low)), math.floor(math.log2(high))
        found = [2.0**power for power in range(first, last + 1)]
    else:
        first, last = math.floor(math.log10(low)), math.floor(math.log10(high))
        found = [m * 10.0**power for power in range(first, last + 1) for m in (1, 2, 5)]
    found = [value for value in found if low <= value <= high]
    return found[:: -(-len(found) // 8) or 1]


def _linear_large(low: float, high: float, binary: bool) -> list[float]:
    unit = 1024.0 if binary and high >= 4096 else 1.0
    step = unit * 10.0 ** math.floor(math.log10((high - low) / unit))
    step *= next(m for m in (0.1, 0.2, 0.5, 1, 2, 5, 10) if (high - low) / (m * step) <= 7)
    first = math.ceil(low / step)
    return [step * number for number in range(first, first + 8) if step * number <= high]
