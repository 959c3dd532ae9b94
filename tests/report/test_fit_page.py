"""The page about a fit run says what `result.json` says, escaped, with and without scripts."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from random_graphs import random_graph

from netsuke.codegen import compile_graph
from netsuke.devices import device, device_ids
from netsuke.errors import UsageError
from netsuke.report import report_page
from netsuke.report.fit.boards import boards
from netsuke.report.fit.designs import edit_words, shown_designs
from netsuke.report.fit.flips import flipped
from netsuke.report.fit.front import AXES, front_chart, ticks

RECORD = Path(__file__).with_name("fit_run.json")
EVIL = "</script></style><script>alert(1)</script>\"'><img src=x onerror=alert(1)>&\n{{ 7*7 }}"
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("fit") / "artifact"
    return compile_graph(random_graph(21, True), device("nucleo-f446re")).write(out)


@pytest.fixture
def page(artifact: Path, tmp_path: Path) -> Callable[..., str]:
    """The page of a run with another result or other pictures."""
    folder = tmp_path / "run"
    shutil.copytree(artifact, folder)

    def make(result: Any, flips: Any = None) -> str:
        (folder / "result.json").write_text(json.dumps(result))
        (folder / "flips.json").unlink(missing_ok=True)
        if flips is not None:
            (folder / "flips.json").write_text(json.dumps(flips))
        return report_page(folder, with_curve=False)

    return make


@pytest.fixture
def record() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RECORD.read_text())
    return found


def test_every_design_is_a_point_on_every_axis_and_a_card(
    page: Callable[..., str], record: dict[str, Any]
) -> None:
    html = page(record)
    count = len(record["attempts"])
    assert count > 3
    assert html.count('<article class="card') == count
    for number in range(1, count + 1):
        assert html.count(f'href="#design-{number}" data-design="{number}"><title>') == len(AXES)
        assert html.count(f'id="design-{number}"') == 1
    front = sum(each["front"] for each in record["attempts"])
    assert len(re.findall(r'<a class="spot front', html)) == front * len(AXES)
    assert html.count('class="card selected"') == 1 and html.count(">chosen</span>") == 1
    assert html.count('<g class="original">') == html.count('<g class="chosen">') == len(AXES)


def test_points_lie_where_their_values_are(record: dict[str, Any]) -> None:
    designs = shown_designs(record)
    for axis in AXES:
        chart = front_chart(designs, (), axis, None, "score")
        places = {
            int(number): (float(x), float(y))
            for number, x, y in re.findall(
                r'data-design="(\d+)">.*?class="dot" cx="([\d.]+)" cy="([\d.]+)"', chart, re.DOTALL
            )
        }
        for one in designs:
            for other in designs:
                if getattr(one, axis.key) < getattr(other, axis.key):
                    assert places[one.number][0] <= places[other.number][0]
                if one.score < other.score:
                    assert places[one.number][1] >= places[other.number][1]


def test_the_limit_is_drawn_where_a_design_of_that_size_is(record: dict[str, Any]) -> None:
    designs = shown_designs(record)
    bound = float(designs[0].flash)
    chart = front_chart(designs, (), AXES[0], bound, "score")
    x = re.search(r'class="limit" x1="([\d.]+)"', chart)
    assert x and f'class="dot" cx="{x[1]}"' in chart
    assert 'class="limit"' not in front_chart(designs, (), AXES[0], 1e9, "score")


def test_a_hopeless_design_does_not_flatten_the_others(record: dict[str, Any]) -> None:
    for attempt, score in zip(record["attempts"], (-1e6, 90.0, 70.0), strict=False):
        attempt["metric"] = score
    chart = front_chart(shown_designs(record), (), AXES[0], None, "score")
    heights = {float(y) for y in re.findall(r'class="dot" cx="[\d.]+" cy="([\d.]+)"', chart)}
    assert max(heights) - min(heights) > 200 and len(heights) > 2


@pytest.mark.parametrize(
    "span", [(1, 1.3), (100, 650), (5000, 9000), (900, 4e5), (3e4, 7e6), (1e-9, 1e300)]
)
@pytest.mark.parametrize("binary", [True, False])
def test_axes_have_a_handful_of_round_values(span: tuple[float, float], binary: bool) -> None:
    found = ticks(*span, binary)
    assert 1 <= len(found) <= 8 and found == sorted(set(found))
    assert all(span[0] <= value <= span[1] for value in found)


def test_what_was_cut_sensitivity_classes_and_replay_are_shown(
    page: Callable[..., str], record: dict[str, Any]
) -> None:
    html = page(record)
    for name, (before, after) in record["widths"].items():
        assert f'title="{name}"' in html and f"{after} of {before}" in html
    for row in record["sensitivity"]:
        assert f"{row['drop']:+.2f}" in html
    for change in record["classes"]:
        assert f"{change['after'] - change['before']:+.2f}" in html
    assert "90 missed" in html or "90 holds" in html
    assert "nk.fit(" in html and 'id="replay-python"' in html
    assert record["request"]["data"]["fingerprint"] in html
    assert html.count('<g class="learning') == len(record["curves"]) > 0
    assert html.count('<g class="trial') == len(record["attempts"])


def test_a_design_without_a_group_has_an_empty_bar_for_it(record: dict[str, Any]) -> None:
    gone = next(iter(record["attempts"][0]["groups"]))
    del record["attempts"][0]["groups"][gone]
    design = shown_designs(record)[0]
    width = next(width for width in design.widths if width.name == gone)
    assert width.after == 0 and width.share == 0.0 and width.before == record["widths"][gone][0]


def test_edits_have_words() -> None:
    edit = {"kind": "shrink_kernel", "place": "{value}", "value": 3}
    assert edit_words(edit) == "kernel of {value}: 3"
    assert edit_words({"kind": "new", "place": "p", "value": 1}) == "new p 1"


def test_boards_are_checked_against_every_design(record: dict[str, Any]) -> None:
    designs = shown_designs(record)
    own = {"id": "own", "name": "Own", "core": "cortex-m4", "isa": [], "flash": 100_000}
    found = boards(30_000, 60_000, designs, {**own, "arenas": {"a": 50_000, "b": 10_000}})
    assert {board.id for board in found} == {*device_ids(), "own"}
    sizes = [board.flash + board.ram for board in found]
    assert sizes == sorted(sizes)
    by_id = {board.id: board for board in found}
    assert by_id["own"].here and by_id["own"].planned and by_id["own"].lacking == ()
    assert by_id["arduino-uno"].lacking == ("RAM",) and not by_id["arduino-uno"].planned
    best = max(each.score for each in designs)
    assert by_id["own"].best and by_id["own"].best.score == best
    assert boards(1, 1, [], own | {"arenas": {}})[0].best is None


def test_flips_have_names_and_pictures(page: Callable[..., str], record: dict[str, Any]) -> None:
    record["request"]["data"]["classes"] = ["cat", EVIL]
    record["flips"] = [
        {"index": 5, "label": 0, "before": 0, "after": 1},
        {"index": 6, "label": 7, "before": 0, "after": 7},
    ]
    html = page(record, {"flips": [{"index": 5, "png": PNG}]})
    assert html.count("<img src=") == 1 and f'src="data:image/png;base64,{PNG}"' in html
    assert "Lost" in html and "<b>cat</b>" in html
    assert [flip.lost for flip in flipped(record, None)] == [True, False]
    assert "<img src=" not in page(record)


@pytest.mark.parametrize("png", ["", "x", EVIL, "AAAA", PNG + "\n", PNG + "A" * 70_000])
def test_what_is_no_small_png_is_not_shown(
    page: Callable[..., str], record: dict[str, Any], png: str
) -> None:
    record["flips"] = [{"index": 5, "label": 0, "before": 0, "after": 1}]
    assert "<img" not in page(record, {"flips": [{"index": 5, "png": png}]})


class Tags(HTMLParser):
    """Every tag and every attribute's name on a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}


def evil(value: Any, key: str = "") -> Any:
    """The same values with every text replaced, and every name that a person can choose."""
    if isinstance(value, dict):
        chosen = key in ("groups", "widths", "curves")
        return {f"{EVIL}{k}" if chosen else k: evil(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [evil(entry, key) for entry in value]
    return EVIL if isinstance(value, str) and key not in ("key",) else value


def test_hostile_names_stay_text(page: Callable[..., str], record: dict[str, Any]) -> None:
    plain, hostile = Tags(), Tags()
    plain.feed(page(record))
    record["design"]["edits"] = [{"kind": EVIL, "place": EVIL, "value": EVIL}]
    record["camera"] = {"steps": [{"step": EVIL, EVIL: EVIL}]}
    record["notes"] = record["unmet"] = [EVIL]
    html = page(evil(record), {"flips": [{"index": EVIL, "png": EVIL}]})
    hostile.feed(html)
    assert hostile.tags.count("script") == plain.tags.count("script") == 1
    assert "img" not in hostile.tags and hostile.attributes <= plain.attributes | {"open"}
    assert "49" not in re.findall(r"&amp;\s(\d+)", html)


@pytest.mark.parametrize("value", [None, "x", -1, 10**400, [], {}, [[]], [{"a": 1}], {"a": "b"}])
def test_a_result_with_a_field_of_another_kind_is_a_page_or_an_error(
    page: Callable[..., str], record: dict[str, Any], value: Any
) -> None:
    for key in record:
        try:
            html = page({**record, key: value})
        except UsageError as error:
            assert "damaged" in str(error)
        else:
            assert html.startswith("<!doctype html>")


def test_groups_stand_in_the_order_of_the_network(
    page: Callable[..., str], record: dict[str, Any]
) -> None:
    names = ["conv1", "conv7", "conv13"]
    record["widths"], record["sensitivity"] = {name: [16, 8] for name in names}, []
    for attempt in record["attempts"]:
        attempt["groups"] = {name: [8, 16] for name in names}
    rows = re.findall(r"<t[dh][^>]*>(conv\d+)</t[dh]>", page(record))
    assert rows and rows == names * (len(rows) // 3)


def test_a_run_without_designs_is_shown(page: Callable[..., str], record: dict[str, Any]) -> None:
    for key in ("attempts", "sensitivity", "classes", "flips"):
        record[key] = []
    record["curves"] = {}
    html = page(record)
    assert "Designs that were tried" not in html and "Would a smaller chip do?" in html


def test_the_page_loads_nothing(page: Callable[..., str], record: dict[str, Any]) -> None:
    html = page(record)
    assert "default-src 'none'" in html
    assert not re.search(r"(src|href)=\"(?!#|data:)|url\(|@import|https?://", html)


PRESSED = """<script>
document.getElementById("axis-ram").click();
const point = document.querySelector('svg.ram .spot[data-design="2"]');
point.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
const seen = () => [...document.querySelectorAll(".card")]
  .filter((card) => getComputedStyle(card).display !== "none").map((card) => card.id);
const clicked = seen();
point.focus();
const key = { key: "ArrowRight", bubbles: true, cancelable: true };
point.dispatchEvent(new KeyboardEvent("keydown", key));
const fits = document.querySelector(".boards tr.here .fits").textContent;
document.title = [clicked, seen(), document.activeElement.dataset.design, fits].join("|");
</script></body>"""


def test_a_point_shows_its_card_by_mouse_and_by_keyboard(
    page: Callable[..., str], record: dict[str, Any], tmp_path: Path
) -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("left out: no Chromium to press a point of the report in")
    place = tmp_path / "page.html"
    place.write_text(page(record).replace("</body>", PRESSED), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--dump-dom"]
    options += ["--disable-background-networking", f"--user-data-dir={tmp_path / 'profile'}"]
    done = subprocess.run(
        [browser, *options, place.as_uri()], capture_output=True, text=True, timeout=60, check=True
    )
    title = re.search("<title>(.*?)</title>", done.stdout)
    assert title is not None
    clicked, moved, focused, fits = title[1].split("|")
    assert clicked == "design-2" and fits == "fits"
    assert moved == f"design-{focused}" != clicked
    ram = {design.number: design.ram for design in shown_designs(record)}
    assert ram[2] < max(ram.values()) and ram[int(focused)] >= ram[2]
