"""What `netsuke fit` prints: the verdict, the front, and how to run it again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from netsuke.cli.commands.fit_network import show_fit
from netsuke.compress.edits import Edit
from netsuke.devices import Limits
from netsuke.fit import FitResult
from netsuke.fit.design import Design, Sizes
from netsuke.fit.drop import Drop
from netsuke.fit.result import Attempt, Change
from netsuke.train import Recipe

SIZES = Sizes(20_480, 900, 1_234_567, "conv", "dense")
EDIT = Edit("stem_stride", "conv", 2)


@pytest.fixture
def result() -> FitResult:
    chosen = Design((3, 4), (EDIT,), origin="with a stride")
    beaten = Attempt(Design((9, 9), origin="beaten"), replace(SIZES, flash=30_000), 50.0, 0)
    small = Attempt(Design((1, 1), origin="tiny"), replace(SIZES, flash=9_000), 40.0, 0)
    given: dict[str, Any] = {"given": "x", "id": "board"}
    request = {"model": given, "data": given, "device": given, "time": 60.0, "epochs": 2}
    nothing: Any = None
    return FitResult(
        met=False,
        unmet=("drop: 3.00 points of at most 2",),
        design=chosen,
        graph=nothing,
        quantized=nothing,
        artifact=nothing,
        sizes=SIZES,
        original_sizes=SIZES,
        metric=91.5,
        original_metric=94.5,
        drop=Drop(3.0, 4.25, 0.05, 100),
        classes=(Change("a", 10, 90.0, 80.0, 85.0), Change("b", 10, 90.0, 90.0)),
        flips=(),
        widths={},
        attempts=(small, beaten, Attempt(chosen, SIZES, 92.0, 1)),
        limits=Limits(max_drop=2.0),
        notes=(),
        effort={},
        recipe=Recipe().record(),
        seed=0,
        seconds=1.0,
        camera={"steps": [{"step": "resize", "height": 8, "width": 8}]},
        request={**request, "designs": None, "families": []},
    )


def test_everything_that_was_found_is_printed(
    result: FitResult, capsys: pytest.CaptureFixture[str]
) -> None:
    show_fit(result, Path("run"))
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["NOT all limits are met:", "  drop: 3.00 points of at most 2"]
    assert "  class a: 80.00 % of at least 85 %" in lines
    assert not any("class b" in line for line in lines)
    assert "  changed       stem_stride conv 2" in lines
    assert "  camera        resize: height 8, width 8" in lines
    front = lines[lines.index("The front of 3 designs (in float, on validation data):") + 1 : -1]
    assert [line.split()[0] for line in front] == ["92.00", "40.00"]
    assert front[0].endswith("stem_stride conv 2  (chosen)") and front[1].endswith("tiny")
    assert lines[-1].startswith(
        "To run it again: netsuke fit x --data x --device x --max-drop 2 --time 60s"
    )


def test_without_a_search_there_is_no_front(
    result: FitResult, capsys: pytest.CaptureFixture[str]
) -> None:
    show_fit(replace(result, attempts=(), request={}, met=True, unmet=()), Path("run"))
    text = capsys.readouterr().out
    assert text.startswith("All limits are met.") and "front" not in text and "again" not in text
