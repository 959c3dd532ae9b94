"""The curve of RAM against instructions is drawn from the artifact's own graph."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from random_graphs import random_graph

from netsuke.codegen import compile_graph
from netsuke.devices import device
from netsuke.report import report_page
from netsuke.report.curve import curve_chart, ram_curve
from netsuke.schedule.curve import Trade

POINTS = (Trade(1000, 5e6, True), Trade(2000, 2e6, True), Trade(9000, 1e6, False))


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    return compile_graph(random_graph(21, True), device("nucleo-f446re")).write(tmp_path / "out")


def test_a_chart_steps_down_and_marks_the_plan() -> None:
    chart = curve_chart(POINTS, 2000)
    assert chart.count("<circle") == 3
    assert 'class="curve"' in chart
    assert "1,000 B: 5,000,000 instructions, in stripes" in chart
    assert "this plan" in chart


def test_a_single_point_is_no_curve() -> None:
    assert curve_chart(POINTS[:1], 1000) == ""


def test_the_page_draws_the_curve_of_its_own_graph(artifact: Path) -> None:
    points = ram_curve(artifact)
    assert len(points) > 1
    page = report_page(artifact)
    assert "RAM against instructions" in page
    assert f"{points[0].arena:,} B" in page
    assert "RAM against instructions" not in report_page(artifact, with_curve=False)


def test_a_page_without_a_graph_has_no_curve(artifact: Path) -> None:
    (artifact / "graph.nsk").write_bytes(b"nothing")
    assert ram_curve(artifact) == ()
    assert "Arena map" in report_page(artifact)


def test_counted_instructions_and_modelled_cycles_are_shown(artifact: Path) -> None:
    manifest = json.loads((artifact / "manifest.json").read_text())
    calls = sum(1 for step in manifest["steps"] if step["kernel"])
    certificate = {
        "bit_exact": True,
        "samples": 1,
        "on": ["unicorn"],
        "instructions": 77_000,
        "stack": 12,
        "sizes": None,
        "toolchain": {},
        "seed": 0,
        "steps": [70_001] + [1] * (calls - 1),
        "modelled": {"cycles": 123_456, "clock": 100e6, "latency": 1.23456e-3},
    }
    (artifact / "certificate.json").write_text(json.dumps(certificate))
    page = report_page(artifact, with_curve=False)
    assert "70,001" in page
    assert "123,456" in page and "1.23 ms at 100 MHz" in page
