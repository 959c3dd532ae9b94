"""The chart of RAM against instructions: what speed every limit of memory allows."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from netsuke.devices import Device, Region
from netsuke.errors import NetsukeError
from netsuke.report.svg import WIDTH, kib
from netsuke.schedule.curve import Trade, curve
from netsuke.verify.project import open_project

LIMITS = 6
"""Limits of RAM that are planned for the page."""
LARGEST = 120
"""Nodes beyond which planning them would take minutes."""
LEFT, RIGHT, TOP, HEIGHT = 84, 20, 12, 240


def ram_curve(folder: Path) -> tuple[Trade, ...]:
    """The curve of an artifact's graph on its device; () where it cannot be planned here."""
    try:
        project = open_project(folder)
        if len(project.graph.nodes) > LARGEST:
            return ()
        return curve(project.graph, _device(dict(project.manifest["device"])), points=LIMITS)
    except (NetsukeError, KeyError, TypeError, ValueError):
        return ()  # a damaged or foreign folder: the page shows what its manifest says


def _device(record: dict[str, Any]) -> Device:
    """The device as far as a plan needs it, from what the manifest says."""
    arenas = [
        Region(str(name), "ram", int(size), ("arena",)) for name, size in record["arenas"].items()
    ]
    flash = Region("flash", "flash", int(record["flash"]), ("code", "weights"))
    return Device(
        id=str(record["id"]),
        name=str(record["name"]),
        core=str(record["core"]),
        isa=frozenset(map(str, record["isa"])),
        clock=float(record.get("clock") or 0.0),
        regions=(flash, *arenas),
    )


def curve_chart(points: Sequence[Trade], arena: int) -> str:
    """Steps from point to point: with so much RAM, so many instructions; the arena as a line."""
    if len(points) < 2:
        return ""
    most = max(points[-1].arena, arena) * 1.06
    least = min(points[0].arena, arena) * 0.9
    top = max(point.instructions for point in points) * 1.08

    def spot(ram: float, instructions: float) -> tuple[float, float]:
        x = LEFT + (WIDTH - LEFT - RIGHT) * (ram - least) / (most - least)
        return x, TOP + HEIGHT * (1 - instructions / top)

    parts = [*_axes(least, most, top)]
    path = ""
    for index, point in enumerate(points):
        x, y = spot(point.arena, point.instructions)
        path += f"M{x:.1f} {TOP} V{y:.1f}" if index == 0 else f" H{x:.1f} V{y:.1f}"
    path += f" H{WIDTH - RIGHT}"
    parts.append(f'<path class="curve" d="{path}"/>')
    x, _ = spot(arena, 0)
    line = f'x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{TOP + HEIGHT}"'
    parts.append(f'<line class="arena" {line}/>')
    parts.append(f'<text class="arena" x="{x + 5:.1f}" y="{TOP + 12}">this plan</text>')
    for point in points:
        x, y = spot(point.arena, point.instructions)
        how = "in stripes" if point.stripes else "whole"
        title = f"{point.arena:,} B: {point.instructions:,.0f} instructions, {how}"
        kind = "original" if point.stripes else "point"
        parts.append(
            f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="6">'
            f"<title>{escape(title)}</title></circle>"
        )
    return (
        f'<svg viewBox="0 0 {WIDTH} {TOP + HEIGHT + 44}" role="img" '
        f'aria-label="RAM against instructions">{"".join(parts)}</svg>'
    )


def _axes(least: float, most: float, top: float) -> list[str]:
    parts = []
    for index in range(5):
        value, y = top * index / 4, TOP + HEIGHT * (1 - index / 4)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(
            f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{_mega(value)}</text>'
        )
        x = LEFT + (WIDTH - LEFT - RIGHT) * index / 4
        anchor = "end" if index == 4 else "middle" if index else "start"
        ram = kib(least + (most - least) * index / 4)
        parts.append(
            f'<text x="{x:.1f}" y="{TOP + HEIGHT + 18}" text-anchor="{anchor}">{ram}</text>'
        )
    parts.append(f'<text x="{LEFT}" y="{TOP + HEIGHT + 38}">arena → instructions ↑</text>')
    return parts


def _mega(count: float) -> str:
    """Instructions for eyes."""
    return f"{count / 1e6:.2f} M" if count >= 1e5 else f"{count:,.0f}"
