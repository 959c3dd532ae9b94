"""Charts as plain SVG: colours come from the page's CSS, so light and dark both work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 920


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A buffer on the arena map: steps along x, bytes along y."""

    name: str
    start: int
    end: int
    offset: int
    size: int


def kib(count: float) -> str:
    """Bytes for eyes."""
    return f"{count:,.0f} B" if count < 10_240 else f"{count / 1024:,.1f} KiB"


def _count(number: float) -> str:
    return f"{number:,.0f}"


def nice_step(largest: float, lines: int = 5) -> float:
    """A round distance between grid lines: 1, 2 or 5 times a power of ten (or 1024s)."""
    unit = 1024.0 if largest >= 4096 else 1.0
    target = max(largest / unit / lines, 1e-9)
    power = 1.0
    while power * 10 <= target:
        power *= 10
    while power > target:
        power /= 10
    return unit * power * min((m for m in (1, 2, 5, 10) if m * power >= target), default=10)


def _frame(height: int, body: Sequence[str], label: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(label)}">'
        + "".join(body)
        + "</svg>"
    )


def _grid(largest: float, left: int, top: int, height: int) -> list[str]:
    parts, step = [], nice_step(largest)
    value = 0.0
    while value <= largest * 1.0001:
        y = top + height - height * value / largest
        parts.append(f'<line class="grid" x1="{left}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{kib(value)}</text>')
        value += step
    return parts


def memory_chart(live: Sequence[int], names: Sequence[str], limit: int | None, arena: int) -> str:
    """Live bytes at each step as bars, the arena as a line, the device's RAM as a limit line.

    Parameters
    ----------
    live
        Bytes of buffers that live during each step.
    names
        The steps' nodes.
    limit
        RAM that the device has for arenas (bytes); shown when it is near enough to be seen.
    arena
        Bytes of the arena.
    """
    left, top, height = 84, 12, 220
    near = limit is not None and limit <= 4 * max(arena, 1)
    largest = max([*live, arena, limit if near and limit else 0, 1]) * 1.05
    parts = _grid(largest, left, top, height)
    width = (WIDTH - left) / max(len(live), 1)
    for index, (count, name) in enumerate(zip(live, names, strict=True)):
        tall = height * count / largest
        kind = "bar peak" if count == max(live) else "bar"
        parts.append(
            f'<rect class="{kind}" x="{left + index * width + 1:.1f}" '
            f'width="{max(width - 2, 1):.1f}" y="{top + height - tall:.1f}" height="{tall:.1f}">'
            f"<title>step {index}: {escape(name)}\n{count:,} B live</title></rect>"
        )
    for level, kind, text in ((arena, "arena", "arena"), (limit or 0, "limit", "device")):
        if level and (near or kind == "arena"):
            y = top + height - height * level / largest
            line = f'x1="{left}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"'
            parts.append(f'<line class="{kind}" {line}/>')
            parts.append(
                f'<text class="{kind}" x="{WIDTH - 4}" y="{y - 5:.1f}" text-anchor="end">'
                f"{text} {kib(level)}</text>"
            )
    parts.append(_steps(len(live), left, width, top + height + 16))
    return _frame(top + height + 24, parts, "Memory over steps")


def _steps(count: int, left: int, width: float, y: int) -> str:
    every = max(1, -(-count // 30))
    return "".join(
        f'<text x="{left + (i + 0.5) * width:.1f}" y="{y}" text-anchor="middle">{i}</text>'
        for i in range(0, count, every)
    )


def arena_map(rectangles: Sequence[Rectangle], steps: int, arena: int) -> str:
    """Every buffer as a rectangle: when it lives along x, where it lies along y."""
    left, top, height = 84, 12, 300
    width = (WIDTH - left) / max(steps, 1)
    scale = height / max(arena, 1)
    parts = _grid(max(arena, 1), left, top, height)
    for index, box in enumerate(rectangles):
        start, end = max(box.start, 0), min(box.end, steps - 1)
        x, wide = left + start * width, max((end - start + 1) * width - 1, 1)
        tall = max(box.size * scale - 1, 1)
        y = top + height - (box.offset + box.size) * scale
        kind = "scratch" if box.name.endswith(":scratch") else f"tone{index % 6}"
        parts.append(
            f'<g><rect class="box {kind}" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" '
            f'height="{tall:.1f}"/><title>{escape(box.name)}\n{box.size:,} B at offset '
            f"{box.offset:,}\nsteps {box.start} to {box.end}</title>"
        )
        if wide > 60 and tall > 14:
            room = int(wide / 7)
            text = box.name if len(box.name) <= room else "…" + box.name[-room + 1 :]
            parts.append(f'<text x="{x + 5:.1f}" y="{y + 13:.1f}">{escape(text)}</text>')
        parts.append("</g>")
    parts.append(_steps(steps, left, width, top + height + 16))
    return _frame(top + height + 24, parts, "Arena map")


def region_bars(rows: Sequence[tuple[str, int, int]]) -> str:
    """One bar a memory: needed against available bytes."""
    parts, high = [], 30
    for index, (name, needed, available) in enumerate(rows):
        y = index * high
        share = needed / max(available, 1)
        kind = "ok" if share <= 1 else "over"
        parts.append(f'<text x="0" y="{y + 18}">{escape(name)}</text>')
        parts.append(f'<rect class="track" x="90" y="{y + 6}" width="560" height="16"/>')
        parts.append(
            f'<rect class="{kind}" x="90" y="{y + 6}" height="16" '
            f'width="{560 * min(share, 1):.1f}"/>'
        )
        parts.append(
            f'<text x="662" y="{y + 18}">{kib(needed)} of {kib(available)} '
            f"({100 * share:.1f} %)</text>"
        )
    return _frame(max(len(rows), 1) * high, parts, "Memories of the device")


@dataclass(frozen=True, slots=True)
class Point:
    """A design on the scatter."""

    x: float
    y: float
    name: str
    kind: str = "point"


def scatter(
    points: Sequence[Point],
    x_name: str,
    y_name: str,
    limit: float | None = None,
    unit: str = "bytes",
) -> str:
    """Designs: bytes or a count along x, the metric along y, a limit as a vertical line."""
    text_of = kib if unit == "bytes" else _count
    left, top, height = 84, 12, 260
    if not points:
        return ""
    right = max([p.x for p in points] + ([limit] if limit else [])) * 1.08 or 1.0
    low, high = min(p.y for p in points), max(p.y for p in points)
    pad = max((high - low) * 0.15, 0.5)
    low, high = low - pad, high + pad

    def spot(x: float, y: float) -> tuple[float, float]:
        return left + (WIDTH - left - 20) * x / right, top + height * (high - y) / (high - low)

    parts = []
    for index in range(5):
        value = low + (high - low) * index / 4
        _, y = spot(0, value)
        parts.append(f'<line class="grid" x1="{left}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{value:.1f}</text>')
        x, _ = spot(right * index / 4, low)
        parts.append(
            f'<text x="{x:.1f}" y="{top + height + 16}" '
            f'text-anchor="{"end" if index == 4 else "middle"}">'
            f"{text_of(right * index / 4)}</text>"
        )
    if limit:
        x, _ = spot(limit, low)
        parts.append(
            f'<line class="limit" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{top + height}"/>'
        )
    for point in points:
        x, y = spot(point.x, point.y)
        parts.append(
            f'<circle class="{point.kind}" cx="{x:.1f}" cy="{y:.1f}" r="6">'
            f"<title>{escape(point.name)}\n{text_of(point.x)}, {point.y:.2f}</title></circle>"
        )
    parts.append(
        f'<text x="{left}" y="{top + height + 36}">{escape(x_name)} → {escape(y_name)} ↑</text>'
    )
    return _frame(top + height + 44, parts, f"{y_name} against {x_name}")
