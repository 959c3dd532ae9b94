"""What a search over classical models found, as a section of the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from netsuke.report.svg import Point, scatter
from netsuke.report.tree import tree_drawing


def table_fit_values(result: Mapping[str, Any]) -> dict[str, Any]:
    """Values for the template: charts, the front, the confusion matrix, the first tree."""
    designs = [d for d in result["designs"] if d["score"] is not None and d["sizes"]]
    front = [d for d in designs if d["name"] in result["front"]]
    tree = result.get("tree")
    limits = result["limits"]
    return {
        **result,
        "charts": [
            ("flash", Markup(_chart(result, designs, 0, "flash", limits["flash"]))),
            ("cycles", Markup(_chart(result, designs, 2, "cycles", limits["cycles"]))),
        ],
        "front_designs": sorted(front, key=lambda d: d["sizes"][0]),
        "tree_drawing": Markup(tree_drawing(tree["root"])) if tree else "",
        "tree_count": tree["of"] if tree else 0,
        "shades": _shades(result["confusion"]),
    }


def _chart(
    result: Mapping[str, Any],
    designs: list[Mapping[str, Any]],
    index: int,
    name: str,
    limit: float | None,
) -> str:
    best = max(design["score"] for design in designs) if designs else 0.0
    floor = best - max(40.0, 0.5 * abs(best))  # one hopeless design must not flatten the others
    points = []
    for design in designs:
        kind = "original" if design["name"] in result["front"] else "point"
        if design["name"] == result["design"]:
            kind = "chosen"
        if design["score"] >= floor:
            points.append(Point(design["sizes"][index], design["score"], design["name"], kind))
    largest = max((point.x for point in points), default=0.0)
    shown = limit if limit is not None and limit <= 2 * largest else None
    unit = "bytes" if index == 0 else "count"
    return scatter(points, name, result["metric"], shown, unit)


def _shades(confusion: list[list[int]]) -> list[list[float]]:
    """Share of its row that each cell is."""
    return [[count / max(sum(row), 1) for count in row] for row in confusion]
