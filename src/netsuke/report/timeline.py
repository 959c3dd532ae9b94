"""Memory over time as SVG: one run with its phases shaded, or several runs in one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from netsuke.profile.result import NOTICED
from netsuke.report.svg import WIDTH

LEFT, RIGHT, TOP, HEIGHT = 84, 16, 44, 240
POINTS = 900
"""Points of a line; of those that fall together the largest is drawn."""
TONES = 6


def phase_chart(run: Mapping[str, Any], limit: float | None = None) -> str:
    """Memory over the time of one run: samples as an area, phases shaded, true peaks as lines.

    Parameters
    ----------
    run
        Of a ``profile.json``: ``samples`` (columns), ``phases``, ``wall``, ``peak``.
    limit
        Bytes to draw as a limit.
    """
    times, memory = _thin(run["samples"])
    long = max([run["wall"], *times, 1e-3])
    highest = max([run["peak"], run["tree_peak"], *memory, limit or 0, 1]) * 1.06
    frame = _Frame(long, highest)
    names = list(dict.fromkeys(phase["name"] for phase in run["phases"]))
    parts = [frame.shade(phase, names.index(phase["name"])) for phase in run["phases"]]
    parts += frame.axes()
    if times:
        area = frame.line(times, memory)
        foot = frame.line((times[-1], times[0]), (0, 0))
        parts.append(f'<polygon class="area" points="{area} {foot}"/>')
        parts.append(f'<polyline class="memory" points="{area}"/>')
    parts += [frame.peak(phase) for phase in run["phases"]]
    if limit:
        parts.append(frame.level(limit, "limit", "limit"))
    if run["missed"] >= NOTICED:
        parts.append(frame.level(run["sampled_peak"], "sampled", "largest sample"))
    parts += _captions(frame, run["phases"])
    return frame.close(parts, "Memory over time with phases")


def comparison_chart(runs: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """Memory over time of several variants, a line each, with its true peak as a dot."""
    if len(runs) < 2:
        return ""
    drawn = [(name, run, *_thin(run["samples"])) for name, run in runs]
    long = max([1e-3, *(run["wall"] for _, run in runs)])
    highest = max([1, *(run["peak"] for _, run in runs), *(m for *_, ms in drawn for m in ms)])
    frame = _Frame(long, highest * 1.06, extra=18 * len(runs))
    parts = frame.axes()
    for index, (name, run, times, memory) in enumerate(drawn):
        line = frame.line(times, memory)
        tone = f"stroke{index % TONES}"
        parts.append(f'<polyline class="memory {tone}" points="{line}"/>')
        when = _peak_time(run)
        parts.append(
            f'<circle class="{tone}" cx="{frame.x(when):.1f}" cy="{frame.y(run["peak"]):.1f}" '
            f'r="4"><title>{escape(name)}: {_mb(run["peak"])}, true peak</title></circle>'
        )
        y = TOP + HEIGHT + 46 + 18 * index
        parts.append(
            f'<line class="memory {tone}" x1="{LEFT}" x2="{LEFT + 28}" y1="{y}" y2="{y}"/>'
            f'<text x="{LEFT + 36}" y="{y + 4}">{escape(name)} · {_mb(run["peak"])}</text>'
        )
    return frame.close(parts, "Memory over time of all variants")


class _Frame:
    """Axes: seconds along x, bytes up."""

    def __init__(self, long: float, highest: float, extra: int = 0) -> None:
        self.long, self.highest = long, highest
        self.height = TOP + HEIGHT + 36 + extra

    def x(self, t: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * min(max(t, 0.0), self.long) / self.long

    def y(self, size: float) -> float:
        return TOP + HEIGHT * (1 - min(max(size, 0.0), self.highest) / self.highest)

    def line(self, times: Sequence[float], sizes: Sequence[float]) -> str:
        """Points of a polyline."""
        pairs = zip(times, sizes, strict=True)
        return " ".join(f"{self.x(t):.1f},{self.y(size):.1f}" for t, size in pairs)

    def axes(self) -> list[str]:
        parts = []
        for value in _ticks(self.highest):
            y, shown = self.y(value), f"{value / 1e6:,.10g} MB"
            parts.append(
                f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
                f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{shown}</text>'
            )
        return parts + [
            f'<text x="{self.x(value):.1f}" y="{TOP + HEIGHT + 18}" text-anchor="middle">'
            f"{value:g} s</text>"
            for value in _ticks(self.long, 8)
        ]

    def shade(self, phase: Mapping[str, Any], index: int) -> str:
        x, end = self.x(phase["start"]), self.x(phase["end"])
        return (
            f'<rect class="phase tone{index % TONES}" x="{x:.1f}" y="{TOP}" '
            f'width="{max(end - x, 0.5):.1f}" height="{HEIGHT}"><title>{_title(phase)}</title>'
            "</rect>"
        )

    def peak(self, phase: Mapping[str, Any]) -> str:
        x, end, y = self.x(phase["start"]), self.x(phase["end"]), self.y(phase["peak"])
        return (
            f'<line class="peak" x1="{x:.1f}" x2="{max(end, x + 2):.1f}" y1="{y:.1f}" '
            f'y2="{y:.1f}"><title>{_title(phase)}</title></line>'
        )

    def level(self, size: float, kind: str, name: str) -> str:
        y = self.y(size)
        # Above a limit; below the largest sample, over which the true peak is drawn.
        below = 14 if kind == "sampled" else -5
        return (
            f'<line class="{kind}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="{kind}" x="{WIDTH - RIGHT - 4}" y="{y + below:.1f}" text-anchor="end">'
            f"{name} {_mb(size)}</text>"
        )

    def close(self, parts: Sequence[str], label: str) -> str:
        return (
            f'<svg viewBox="0 0 {WIDTH} {self.height}" role="img" aria-label="{label}">'
            + "".join(parts)
            + "</svg>"
        )


def _captions(frame: _Frame, phases: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names above the phases, once each, in two lines where one has no room."""
    parts: list[str] = []
    free, seen = [0.0, 0.0], set[str]()
    for phase in sorted(phases, key=lambda phase: (phase["start"], -phase["end"])):
        wide = 6.5 * len(phase["name"])
        x = min(frame.x(phase["start"]), WIDTH - RIGHT - wide)
        line = next((line for line in (0, 1) if x >= free[line]), None)
        if line is None or phase["name"] in seen:
            continue
        free[line] = x + wide + 6
        seen.add(phase["name"])
        y = TOP - 8 - 15 * line
        parts.append(f'<text x="{x:.1f}" y="{y}">{escape(phase["name"])}</text>')
    return parts


def _title(phase: Mapping[str, Any]) -> str:
    how = "true peak" if phase["exact"] else "peak so far"
    cut = "" if phase["whole"] else ", broken off"
    seconds = phase["end"] - phase["start"]
    return f"{escape(phase['name'])}: {seconds:.2f} s{cut}\n{how} {_mb(phase['peak'])}"


def _peak_time(run: Mapping[str, Any]) -> float:
    """When the peak was: at the largest sample of the phase that has it."""
    times, memory = run["samples"]["t"], run["samples"]["memory"]
    highest = max((p["peak"] for p in run["phases"]), default=0)
    inside = [p for p in run["phases"] if p["peak"] == highest >= 0.99 * run["peak"]]
    if inside:
        phase = min(inside, key=lambda p: p["end"] - p["start"])
        pairs = [
            (m, t)
            for t, m in zip(times, memory, strict=True)
            if phase["start"] <= t <= phase["end"]
        ]
        return float(max(pairs)[1] if pairs else phase["end"])
    return float(max(zip(memory, times, strict=True), default=(0, 0.0))[1])


def _thin(samples: Mapping[str, Sequence[float]]) -> tuple[list[float], list[float]]:
    times, memory = list(samples["t"]), list(samples["memory"])
    every = -(-len(times) // POINTS) or 1
    starts = range(0, len(times), every)
    return [times[i] for i in starts], [max(memory[i : i + every]) for i in starts]


def _ticks(largest: float, lines: int = 5) -> list[float]:
    """Round values from 0 to the largest: steps of 1, 2 or 5 times a power of ten."""
    power = 1e-6
    while power * 10 * lines <= largest:
        power *= 10
    step = power * min(m for m in (1, 2, 5, 10) if m * power * lines >= largest)
    return [step * index for index in range(int(largest / step) + 1)]


def _mb(size: float) -> str:
    return f"{size / 1e6:,.1f} MB" if size < 1e8 else f"{size / 1e6:,.0f} MB"
