"""A decision tree as SVG: questions on top, answers below, yes to the left."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from netsuke.report.svg import WIDTH

ROW = 64
"""Height of one level."""


def tree_drawing(root: Mapping[str, Any]) -> str:
    """Draw a tree of nested ``{"if", "yes", "no"}`` and ``{"leaf"}``."""
    leaves, depth = _count(root), _depth(root)
    width = max(WIDTH, 84 * leaves)
    parts: list[str] = []
    _draw(root, 0, 0.0, width / leaves, parts)
    height = ROW * depth + 40
    return (
        f'<svg viewBox="0 0 {width} {height}" style="min-width:{min(width, 4000)}px" role="img" '
        f'aria-label="The first tree">{"".join(parts)}</svg>'
    )


def _count(node: Mapping[str, Any]) -> int:
    return 1 if "leaf" in node else _count(node["yes"]) + _count(node["no"])


def _depth(node: Mapping[str, Any]) -> int:
    return 0 if "leaf" in node else 1 + max(_depth(node["yes"]), _depth(node["no"]))


def _draw(node: Mapping[str, Any], level: int, left: float, step: float, parts: list[str]) -> float:
    """Draw a node and all below it, from `left` on; return where its middle is."""
    y = ROW * level + 24
    if "leaf" in node:
        x = left + step / 2
        parts.append(_text(x, y, str(node["leaf"]), "answer", int(step / 7)))
        return x
    middles = []
    for word in ("yes", "no"):
        start = left if word == "yes" else left + step * _count(node["yes"])
        middles.append(_draw(node[word], level + 1, start, step, parts))
    x = sum(middles) / 2
    for middle, word in zip(middles, ("yes", "no"), strict=True):
        parts.append(
            f'<line class="branch" x1="{x:.1f}" y1="{y + 6}" x2="{middle:.1f}" '
            f'y2="{y + ROW - 14}"><title>{word}</title></line>'
        )
    room = int((middles[1] - middles[0]) / 6.5)
    parts.append(_text(x, y, str(node["if"]), "question", max(room, int(step / 7))))
    return x


def _text(x: float, y: float, text: str, kind: str, room: int) -> str:
    shown = text if len(text) <= max(room, 3) else text[: max(room - 1, 2)] + "…"
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y}" text-anchor="middle">{escape(shown)}'
        f"<title>{escape(text)}</title></text>"
    )
