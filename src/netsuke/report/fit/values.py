"""Values for the template, out of a run's ``result.json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from netsuke.report.fit.boards import boards
from netsuke.report.fit.designs import Shown, Width, changes, edit_words, shown_designs
from netsuke.report.fit.flips import flipped
from netsuke.report.fit.front import AXES, Mark, front_chart
from netsuke.report.fit.losses import losses_chart

QUANTITIES = (("flash", "flash"), ("ram", "RAM"), ("instructions", "instructions"))
STEPS = {"between": "the network between", "small": "the chosen design"}
"""What the trainings of a run are called, by the beginning of their names."""


def fit_values(
    result: Mapping[str, Any], pictures: Mapping[str, Any] | None, target: Mapping[str, Any]
) -> dict[str, Any]:
    """Everything that the template shows of a run.

    Parameters
    ----------
    result
        The run's ``result.json``.
    pictures
        Its ``flips.json``, or None.
    target
        Its device, as the manifest describes it.
    """
    designs = shown_designs(result)
    front = [design for design in designs if design.front]
    flips = flipped(result, pictures)
    return {
        **result,
        "score_name": _score_name(result),
        "designs": designs,
        "selected": next((d for d in designs if d.chosen), designs[0] if designs else None),
        "charts": _charts(result, designs),
        "quantities": _quantities(result, target),
        "changed": changes(result["design"]),
        "groups": [Width(name, int(b), int(a)) for name, (b, a) in result["widths"].items()],
        "single": _single(result),
        "losses": Markup(losses_chart(designs, _trainings(result))),
        "ranked_classes": sorted(result["classes"], key=lambda c: c["after"] - c["before"]),
        "most_change": max([1e-9, *(abs(c["after"] - c["before"]) for c in result["classes"])]),
        "lost": [flip for flip in flips if flip.lost],
        "gained": [flip for flip in flips if not flip.lost],
        "has_pictures": any(flip.png for flip in flips),
        "boards": boards(int(result["flash"]), int(result["ram"]), front, target),
        "replay": result.get("replay") or {},
        "request": result.get("request") or {},
        "steps": result.get("camera", {}).get("steps", []),
    }


def _score_name(result: Mapping[str, Any]) -> str:
    if not result["classes"]:
        return "score"
    floors = result["limits"].get("floors")
    return "accuracy in % less gaps to floors" if floors else "accuracy in %"


def _charts(result: Mapping[str, Any], designs: list[Shown]) -> list[tuple[str, str, Markup]]:
    """(key, name, chart) of every axis."""
    original = result["original"]
    charts = []
    for axis in AXES:
        marks = (
            Mark("the original", "original", float(original[axis.key]), float(original["metric"])),
            Mark("the chosen one", "chosen", float(result[axis.key]), float(result["metric"])),
        )
        bound = _bound(result, axis.key)
        chart = front_chart(designs, marks, axis, bound, _score_name(result))
        charts.append((axis.key, axis.name, Markup(chart)))
    return charts


def _bound(result: Mapping[str, Any], name: str) -> float | None:
    """What must hold: the limit within the device's memory; or the limit alone."""
    value = result.get("bounds", {}).get(name, result["limits"].get(name))
    return None if value is None else float(value)


def _quantities(result: Mapping[str, Any], target: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Flash, RAM and instructions: of the original, as allowed, and as reached."""
    there = {"flash": int(target["flash"]), "ram": sum(map(int, target["arenas"].values()))}
    rows = []
    for key, name in QUANTITIES:
        bound, value = _bound(result, key), int(result[key])
        rows.append(
            {
                "name": name,
                "is_bytes": key in there,
                "original": int(result["original"][key]),
                "limit": bound if key not in there or bound != there[key] else None,
                "device": there.get(key),
                "value": value,
                "ratio": int(result["original"][key]) / max(value, 1),
                "holds": bound is None or value <= bound,
                "source": result["sources"][key],
            }
        )
    return rows


def _single(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What single changes do, those that cost least first; shares for bars."""
    rows = sorted(result["sensitivity"], key=lambda row: (row["drop"], -row["flash"]))
    most = max([1e-9, *(row["drop"] for row in rows)])
    groups = result["widths"]
    return [
        {
            **row,
            "name": f"half of {row['name']}" if row["name"] in groups else _single_edit(row),
            "drop_share": min(max(row["drop"] / most, 0.0), 1.0),
            "flash_share": min(max(row["flash"], 0.0), 1.0),
        }
        for row in rows
    ]


def _single_edit(row: Mapping[str, Any]) -> str:
    """Names of edits are ``kind place value``; a place with blanks in it stays as it is."""
    words = str(row["name"]).split(" ")
    if len(words) != 3:
        return str(row["name"])
    return edit_words(dict(zip(("kind", "place", "value"), words, strict=True)))


def _trainings(result: Mapping[str, Any]) -> dict[str, list[float]]:
    """Losses by what was trained, for eyes."""
    found = {}
    for name, losses in result["curves"].items():
        words = next((text for key, text in STEPS.items() if str(name).startswith(key)), "")
        found[f"{words} ({name})" if words else str(name)] = list(map(float, losses))
    return found
