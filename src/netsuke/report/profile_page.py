"""The page about a profile: what took how long and how much memory, and when."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from netsuke.errors import UsageError
from netsuke.profile.result import NOTICED
from netsuke.report.timeline import comparison_chart, phase_chart

HERE = Path(__file__).parent
SCHEMA = "netsuke-profile/1"
WHOLE = "whole run"


@functools.cache
def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), undefined=jinja2.StrictUndefined, autoescape=True
    )
    environment.filters["mb"] = lambda size: f"{size / 1e6:,.2f}" if size else "N/A"
    environment.filters["seconds"] = _seconds
    environment.filters["tenths"] = lambda share: f"{share:.1%}"
    environment.filters["percent"] = lambda share: f"{share:.2%}"
    return environment


def profile_page(result: Mapping[str, Any]) -> str:
    """Return one HTML page about the values of a ``profile.json``; it loads nothing.

    Raises
    ------
    UsageError
        When the values are not those of a profile.
    """
    try:
        if result["schema"] != SCHEMA:
            raise UsageError(f"a profile of schema {result['schema']!r} is not known here")
        variants = [_variant(variant, result) for variant in result["variants"]]
        style = (HERE / "style.css").read_text(encoding="utf-8")
        script = (HERE / "table.js").read_text(encoding="utf-8")
        shown = [(v["name"], v["shown"]) for v in variants if v["shown"]]
        return (
            _templates()
            .get_template("profile.html.j2")
            .render(
                title=str(result.get("title", "profile")),
                variants=variants,
                based=any(v["base"] for v in variants),
                several=len(variants) > 1,
                forked=any(run["tree_source"] != "exact" for v in variants for run in v["runs"]),
                figure=functools.partial(_figure, variants[0]) if variants else None,
                phases=_names(variants),
                metrics=list(dict.fromkeys(n for v in variants for n in v["metrics"])),
                comparison=Markup(comparison_chart(shown)),
                limit=result.get("limit"),
                found=result.get("found"),
                style=Markup(style),
                script=Markup(script),
            )
        )
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise UsageError(f"the profile is damaged: {error!r}") from None
    except jinja2.TemplateError as error:
        raise UsageError(f"the profile is damaged: {error!r}") from None


def _names(variants: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(n for v in variants for n in v["rows"] if n != WHOLE))


def _variant(variant: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, Any]:
    """A variant with what the page draws of it: the complete run with the peak, else the last."""
    runs = variant["runs"]
    done = [run for run in runs if run["status"] == "done"]
    shown = max(done, key=lambda run: run["peak"], default=runs[-1] if runs else None)
    first = result["variants"][0]
    return {
        **variant,
        "shown": shown,
        "rows": {row["name"]: row for row in variant["phases"]},
        "ratio": variant["peak"] / max(first["peak"], 1),
        "chart": Markup(phase_chart(shown, result.get("limit"))) if shown else "",
        "sampled": max((run["sampled_peak"] for run in runs), default=0),
        "above": _above(variant, first),
        "hidden": _hidden(runs),
        "status": runs[-1]["status"] if runs else "not run",
    }


def _above(variant: Mapping[str, Any], first: Mapping[str, Any]) -> float | None:
    """Peak above the base of the process, as a share of the first variant's."""
    whole = first["peak"] - first["base"]
    known = variant["base"] and first["base"] and whole > 0
    return (variant["peak"] - variant["base"]) / whole if known else None


def _hidden(runs: list[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The run whose peak the samples hide most, where that is worth a word."""
    run = max(runs, key=lambda run: run["missed"], default=None)
    if run is None or run["missed"] < NOTICED:
        return None
    true = run["peak"] if run["tree_source"] == "sampled" else run["tree_peak"]
    return {"true": true, "sampled": run["sampled_peak"], "missed": run["missed"]}


def _figure(first: Mapping[str, Any], variant: Mapping[str, Any], name: str) -> str:
    """A figure with its spread, and its distance from the first variant's."""
    spread, base = variant["metrics"].get(name), first["metrics"].get(name)
    if not spread or spread["mean"] is None or not math.isfinite(spread["mean"]):
        return "N/A"
    shown = f"{spread['mean']:.4f}"
    if len(variant["runs"]) > 1:
        shown += f" ± {spread['deviation']:.4f}"
    if variant is not first and base and base["mean"]:
        shown += f" ({spread['mean'] / base['mean'] - 1:+.2%})"
    return shown


def _seconds(spread: Mapping[str, Any] | None) -> str:
    if not spread or spread["mean"] is None or not math.isfinite(spread["mean"]):
        return "N/A"
    deviation = spread["deviation"]
    return f"{spread['mean']:.2f}" + (f" ± {deviation:.2f}" if deviation else "")
