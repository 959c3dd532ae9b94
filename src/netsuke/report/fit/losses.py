"""How designs learned: the losses of their trainings, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

from netsuke.report.fit.designs import Shown
from netsuke.report.svg import WIDTH

LEFT, RIGHT, TOP, HEIGHT = 64, 24, 12, 240
TONES = 6
LONGEST = 600
"""Epochs of a line that are drawn; of a longer one every second, third …"""
LEAST = 1e-6


def losses_chart(designs: Sequence[Shown], curves: Mapping[str, Sequence[float]]) -> str:
    """Losses on a logarithmic scale: designs thin, the last trainings thick, with their names."""
    lines = [(each, each.losses) for each in designs if each.losses]
    longer = {name: curve for name, curve in curves.items() if len(curve)}
    every = [max(loss, LEAST) for _, losses in lines for loss in losses]
    every += [max(loss, LEAST) for curve in longer.values() for loss in curve]
    if not every:
        return ""
    low, high = min(every) / 1.1, max(every) * 1.1
    epochs = max([len(losses) for _, losses in lines] + [len(c) for c in longer.values()])

    def spot(epoch: float, loss: float) -> str:
        share = math.log(max(loss, LEAST) / low) / math.log(high / low)
        x = LEFT + (WIDTH - LEFT - RIGHT) * epoch / max(epochs, 1)
        return f"{x:.1f},{TOP + HEIGHT * (1.0 - share):.1f}"

    def path(losses: Sequence[float]) -> str:
        step = -(-len(losses) // LONGEST)
        places = [*range(0, len(losses), step)]
        return " ".join(spot(place + 1, losses[place]) for place in places)

    parts = _axes(low, high, epochs)
    for design, losses in sorted(lines, key=lambda line: line[0].chosen):
        kind = "trial taken" if design.chosen else "trial"
        parts.append(_line(kind, f"design {design.number}", path(losses), design.number))
    for index, (name, curve) in enumerate(longer.items()):
        tone = f"stroke{index % TONES}"
        parts.append(_line(f"learning {tone}", name, path(curve)))
        y = TOP + HEIGHT + 58 + 18 * index
        parts.append(
            f'<line class="learning {tone}" x1="{LEFT}" x2="{LEFT + 28}" y1="{y}" y2="{y}"/>'
            f'<text x="{LEFT + 36}" y="{y + 4}">{escape(name)}: {len(curve)} epochs, '
            f"{curve[0]:.3g} → {curve[-1]:.3g}</text>"
        )
    height = TOP + HEIGHT + 50 + 18 * len(longer)
    return (
        f'<svg class="losses" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="Losses by epoch">{"".join(parts)}</svg>'
    )


def _line(kind: str, title: str, points: str, number: int = 0) -> str:
    data = f' data-design="{number}"' if number else ""
    last = points.rsplit(" ", 1)[-1].split(",")
    return (
        f'<g class="{kind}"{data}><title>{escape(title)}</title><polyline points="{points}"/>'
        f'<circle cx="{last[0]}" cy="{last[1]}" r="2.5"/></g>'
    )


def _axes(low: float, high: float, epochs: int) -> list[str]:
    parts = []
    for index in range(5):
        loss = low * (high / low) ** (index / 4)
        y = TOP + HEIGHT * (1 - index / 4)
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{loss:.2g}</text>'
        )
    step = -(-epochs // 10) or 1
    for epoch in range(step, epochs + 1, step):
        x = LEFT + (WIDTH - LEFT - RIGHT) * epoch / epochs
        parts.append(
            f'<text x="{x:.1f}" y="{TOP + HEIGHT + 18}" text-anchor="middle">{epoch}</text>'
        )
    parts.append(f'<text x="{LEFT}" y="{TOP + HEIGHT + 38}">epochs → loss ↑</text>')
    return parts
