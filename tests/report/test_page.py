"""The report page: everything on it comes from the artifact's own files, and a browser shows it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from netsuke.codegen import compile_graph
from netsuke.devices import device
from netsuke.errors import UsageError
from netsuke.ir import Graph, GraphBuilder
from netsuke.ops import Add, Exp
from netsuke.report import report_page
from netsuke.report.svg import Rectangle, arena_map, kib, memory_chart, nice_step


def small_graph(name: str = "small") -> Graph:
    builder = GraphBuilder(name)
    x = builder.input("x", (100,))
    y = builder.one(Exp(), x, name="<y&>")
    return builder.build([builder.one(Add(), x, y, name="sum")])


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    graph = small_graph("<script>alert(1)</script>")
    return compile_graph(graph, device("nucleo-f446re")).write(tmp_path / "artifact")


def test_an_unverified_artifact_says_so(artifact: Path) -> None:
    page = report_page(artifact)
    assert "Not verified" in page and "Bit-exact" not in page


def test_figures_of_the_certificate_are_shown(artifact: Path) -> None:
    certificate = {
        "bit_exact": True,
        "samples": 7,
        "on": ["host"],
        "instructions": 123456,
        "stack": 99,
        "sizes": {"code": 1000, "weights": 2000},
        "toolchain": {"zig": "1"},
        "seed": 3,
    }
    (artifact / "certificate.json").write_text(json.dumps(certificate))
    page = report_page(artifact)
    assert "Bit-exact" in page and "123,456" in page and "7 samples on host" in page
    assert "3,000 B of 512.0 KiB" in page


def test_names_cannot_break_out_of_the_page(artifact: Path) -> None:
    page = report_page(artifact)
    assert "<script>alert" not in page
    assert "&lt;y&amp;&gt;" in page


def test_the_page_needs_no_network(artifact: Path) -> None:
    page = report_page(artifact)
    assert "default-src 'none'" in page
    assert "http://" not in page and "https://" not in page and "url(" not in page


def test_a_folder_without_an_artifact_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"manifest\.json"):
        report_page(tmp_path)


def test_a_damaged_manifest_is_refused(artifact: Path) -> None:
    (artifact / "manifest.json").write_text("{")
    with pytest.raises(UsageError, match="JSON"):
        report_page(artifact)


@pytest.mark.parametrize(
    "content",
    [
        "{}",
        "[" * 100_000,
        '{"arena": 1e999}',
        '{"arena": NaN}',
        '{"arena": "x", "arenas": 3, "steps": {}, "buffers": [], "weights": null}',
    ],
)
def test_a_hostile_manifest_is_refused_and_ends(artifact: Path, content: str) -> None:
    (artifact / "manifest.json").write_text(content)
    with pytest.raises(UsageError, match=r"damaged|JSON"):
        report_page(artifact)


@pytest.mark.parametrize("key", ["steps", "buffers", "arenas", "weights", "device", "model"])
def test_a_manifest_with_a_field_of_another_kind_is_refused(artifact: Path, key: str) -> None:
    path = artifact / "manifest.json"
    manifest = json.loads(path.read_text())
    for value in ("x", 3, [1], [{}], {"a": "b"}):
        path.write_text(json.dumps({**manifest, key: value}))
        try:
            page = report_page(artifact)
        except UsageError as error:
            assert "damaged" in str(error)
        else:
            assert page.startswith("<!doctype html>")


def test_every_buffer_is_on_the_arena_map_at_its_place() -> None:
    boxes = [Rectangle("low", 0, 1, 0, 50), Rectangle("high", 1, 2, 50, 50)]
    chart = arena_map(boxes, 3, 100)
    assert chart.count("<g>") == 2 and "50 B at offset 50" in chart


def test_the_limit_line_is_drawn_only_where_it_can_be_seen() -> None:
    assert 'class="limit"' in memory_chart([100], ["a"], 200, 100)
    assert 'class="limit"' not in memory_chart([100], ["a"], 1_000_000, 100)


@pytest.mark.parametrize("largest", [1, 9, 100, 5000, 55_296, 3_000_000])
def test_grids_have_a_handful_of_lines(largest: int) -> None:
    assert 2 <= largest / nice_step(largest) <= 10


def test_sizes_are_exact_while_they_are_small() -> None:
    assert (kib(9_999), kib(55_296)) == ("9,999 B", "54.0 KiB")


def test_a_browser_shows_the_page(artifact: Path, tmp_path: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("left out: no Chromium to show the report in")
    page = tmp_path / "page.html"
    page.write_text(report_page(artifact), encoding="utf-8")
    picture = tmp_path / "page.png"
    done = subprocess.run(
        [
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--window-size=1000,1400",
            f"--screenshot={picture}",
            page.as_uri(),
        ],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    assert picture.stat().st_size > 20_000
