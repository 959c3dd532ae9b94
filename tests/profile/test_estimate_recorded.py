"""The estimator against what the emulated board measured: recorded, so it needs no machine."""

from __future__ import annotations

import json
import statistics
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).parents[2] / "bench" / "estimate"
sys.path.insert(0, str(BENCH))

from cells import CALIBRATING, CELLS  # noqa: E402
from fit import fit, predict  # noqa: E402

from netsuke.profile.estimate.table import entry  # noqa: E402

RUNTIMES = ("onnxruntime", "litert", "torch")


@pytest.fixture(scope="module")
def cells() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((BENCH / "cells.json").read_text())["cells"]
    return found


def test_calibration_and_validation_are_apart_by_family(cells: list[dict[str, Any]]) -> None:
    for cell in cells:
        assert cell["calibrates"] == (cell["family"] in CALIBRATING), cell["id"]
    known = {cell.id: cell for cell in CELLS}
    assert all(known[cell["id"]].calibrates == cell["calibrates"] for cell in cells)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_shipped_table_is_what_the_calibration_cells_give(
    cells: list[dict[str, Any]], runtime: str
) -> None:
    only = [cell for cell in cells if cell["calibrates"]]
    assert asdict(fit(runtime, only)) == asdict(entry(runtime))


def test_upper_bounds_hold_and_errors_are_small_on_validation(cells: list[dict[str, Any]]) -> None:
    checked = [cell for cell in cells if not cell["calibrates"]]
    assert len(checked) >= 30
    errors = []
    for cell in checked:
        made = predict(cell, entry(cell["runtime"]))
        assert made.high >= cell["hwm"], cell["id"]
        assert made.low <= made.expected <= made.high
        assert sum(part.size for part in made.parts) == made.expected
        errors.append(abs(made.expected / cell["hwm"] - 1))
    assert statistics.median(errors) <= 0.01
    assert max(errors) <= 0.04
