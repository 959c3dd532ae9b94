"""The page: what an artifact's folder says, as sections."""

from __future__ import annotations

import functools
import json
import math
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from netsuke.errors import UsageError
from netsuke.report.curve import curve_chart, ram_curve
from netsuke.report.fit import fit_values
from netsuke.report.svg import Rectangle, arena_map, kib, memory_chart, region_bars
from netsuke.report.table_fit import table_fit_values
from netsuke.schedule.curve import Trade

HERE = Path(__file__).parent
FIRMWARE = "firmware"
_DAMAGE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    jinja2.TemplateError,
)
"""What values of another kind than compile writes can raise on their way to the page."""


@functools.cache
def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), undefined=jinja2.StrictUndefined, autoescape=True
    )
    environment.filters["kib"] = kib
    environment.filters["count"] = lambda number: f"{number:,.0f}"
    return environment


def report_page(folder: Path | str, with_curve: bool = True) -> str:
    """Return one HTML page about a compiled artifact or a fit run; it loads nothing.

    Parameters
    ----------
    folder
        An artifact (``manifest.json`` and, once verified, ``certificate.json``), or a fit run
        (``result.json`` and ``flips.json``, with its artifact in ``firmware``).
    with_curve
        Plan the graph for several limits of RAM, which takes some seconds, and draw the curve.

    Raises
    ------
    UsageError
        When the folder holds no artifact, or a damaged one.
    """
    root = Path(folder)
    home = next((f for f in (root, root / FIRMWARE) if (f / "manifest.json").is_file()), None)
    manifest = _read(home / "manifest.json") if home else None
    if home is None or manifest is None:
        raise UsageError(f"{root}: holds no manifest.json; is it a folder that compile wrote?")
    certificate, fit = _read(home / "certificate.json"), _read(root / "result.json")
    try:
        points = ram_curve(home) if with_curve else ()
        return _render(manifest, certificate, fit, _read(root / "flips.json"), points)
    except _DAMAGE as error:
        raise UsageError(
            f"{root}: its manifest, certificate or result is damaged: {error!r}"
        ) from None


def _render(
    manifest: dict[str, Any],
    certificate: dict[str, Any] | None,
    fit: dict[str, Any] | None,
    pictures: dict[str, Any] | None,
    points: tuple[Trade, ...],
) -> str:
    table = fit if fit and fit.get("kind") == "table" else None
    fit = None if table else fit
    return (
        _templates()
        .get_template("page.html.j2")
        .render(
            manifest=manifest,
            certificate=certificate,
            fit=fit_values(fit, pictures, manifest["device"]) if fit else None,
            table=table_fit_values(table) if table else None,
            style=Markup(_text("style.css", "fit/fit.css")),
            script=Markup(_text("table.js", "fit/fit.js")),
            regions=Markup(region_bars(_regions(manifest, certificate))),
            memory=Markup(_memory(manifest)),
            maps=_maps(manifest),
            layers=_layers(manifest, certificate),
            curve=Markup(curve_chart(points, int(manifest["arena"]))),
            points=points,
        )
    )


def _text(*names: str) -> str:
    """Files of this room, one after the other."""
    return "".join((HERE / name).read_text(encoding="utf-8") for name in names)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(
            path.read_text(encoding="utf-8"), parse_float=_finite, parse_constant=_finite
        )
    except OSError:
        return None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: is no JSON: {error}") from None
    return value if isinstance(value, dict) else None


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):  # a chart with an infinite axis would never end
        raise ValueError(f"{text} is no finite number")
    return value


def flash_needed(manifest: dict[str, Any], certificate: dict[str, Any] | None) -> int:
    """Linked bytes where the certificate has them, else the weights alone."""
    sizes = (certificate or {}).get("sizes") or {}
    if "code" in sizes and "weights" in sizes:
        return int(sizes["code"]) + int(sizes["weights"])
    return int(manifest["weights"])


def _regions(
    manifest: dict[str, Any], certificate: dict[str, Any] | None
) -> list[tuple[str, int, int]]:
    """(memory, needed, available): flash, and every memory that holds an arena."""
    board, arenas = manifest["device"], manifest["arenas"]
    rows = [("flash", flash_needed(manifest, certificate), board["flash"])]
    rows.extend((name, size, board["arenas"].get(name, size)) for name, size in arenas.items())
    return rows


def _memory(manifest: dict[str, Any]) -> str:
    steps = manifest["steps"]
    return memory_chart(
        [step["live"] for step in steps],
        [f"{step['node']} ({step['op']})" for step in steps],
        manifest["device"]["ram"],
        manifest["arena"],
    )


def _maps(manifest: dict[str, Any]) -> list[tuple[str, Markup]]:
    maps = []
    for region, size in manifest["arenas"].items():
        boxes = [
            Rectangle(b["name"], b["start"], b["end"], b["offset"], b["size"])
            for b in manifest["buffers"]
            if b["region"] == region
        ]
        maps.append((region, Markup(arena_map(boxes, len(manifest["steps"]), size))))
    return maps


def _layers(manifest: dict[str, Any], certificate: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Steps with their share of the instructions where an emulator counted them, else of MACs."""
    steps = manifest["steps"]
    counted = (certificate or {}).get("steps") or []
    calls = [index for index, step in enumerate(steps) if step["kernel"]]
    known = dict(zip(calls, counted, strict=True)) if len(calls) == len(counted) else {}
    work = [known.get(i, 0) if known else step["macs"] for i, step in enumerate(steps)]
    total = sum(work) or 1
    return [
        {**step, "index": i, "share": 100 * work[i] / total, "instructions": known.get(i)}
        for i, step in enumerate(steps)
    ]
