"""A table and a board in, the best certified model out."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

import netsuke as nk
from netsuke.cli.main import main
from netsuke.devices import device
from netsuke.errors import DataError, NoDesignError, UsageError
from netsuke.estimators.search import FAMILIES, TableLimits, make_table, search_table
from netsuke.estimators.search.families import candidates
from netsuke.estimators.search.result import Design, pareto
from netsuke.estimators.search.sizes import TableSizes
from netsuke.estimators.search.trial import Trial, fitted, predictions
from netsuke.ir import Array, interpret_batch
from netsuke.report import report_page
from netsuke.verify.ports import to_stored

M0 = "microbit-v2"  # a core that the emulator from the package index knows
SLOW = ("bonsai", "protonn", "mlp", "boosting", "refined forest", "forest")


def wine() -> tuple[Array, Array]:
    return load_wine(return_X_y=True)  # type: ignore[no-any-return]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SLOW:
        monkeypatch.delitem(FAMILIES, name)


def test_the_winner_is_proved_on_the_sealed_rows(quick: None, tmp_path: Path) -> None:
    x, y = wine()
    found = nk.fit_table(x, y, M0, flash=8192, effort="quick", out=tmp_path / "run")
    assert found.met and found.proved_on[0] == "host" and len(found.proved_on) == 2
    assert found.score > 85 and found.sizes.flash <= 8192 and found.agreement == 1.0
    table = make_table(x, y, 0.25, 0)
    (stored,), _ = to_stored(found.graph, (table.x[table.sealed],))
    said = interpret_batch(found.graph, stored)[0][:, 0]
    assert 100 * np.mean(said == y[table.sealed]) == pytest.approx(found.score)
    assert sum(map(sum, found.confusion)) == len(table.sealed)
    certificate = json.loads((tmp_path / "run" / "firmware" / "certificate.json").read_text())
    assert certificate["bit_exact"] and certificate["samples"] == len(table.sealed)


def test_the_sealed_rows_are_in_no_fold() -> None:
    table = make_table(*wine(), 0.25, 3)
    for learn, judge in table.folds(5, 3):
        assert not set(table.sealed) & {*learn, *judge} and not set(learn) & set(judge)


def test_the_same_seed_gives_the_same_result_on_two_workers(quick: None) -> None:
    x, y = wine()
    one = nk.fit_table(x, y, M0, effort="quick").as_json()
    two = nk.fit_table(x, y, M0, effort="quick", jobs=2).as_json()
    assert one == two


def test_a_limit_that_nothing_holds_is_refused_with_the_nearest_design(quick: None) -> None:
    x, y = wine()
    with pytest.raises(NoDesignError, match=r"flash: none of \d+ designs .* the limit is 64") as e:
        nk.fit_table(x, y, M0, flash=64, effort="quick")
    assert e.value.exit_code == 3 and e.value.needed > 64


def test_a_smaller_limit_gives_a_smaller_design(quick: None) -> None:
    x, y = load_breast_cancer(return_X_y=True)
    large = nk.fit_table(x, y, M0, effort="quick")
    less = large.sizes.cycles - 1
    small = nk.fit_table(x, y, M0, cycles=less, effort="quick")
    assert small.sizes.cycles <= less < large.sizes.cycles


def test_a_regression_is_served(quick: None) -> None:
    x, y = load_diabetes(return_X_y=True)
    found = nk.fit_table(x, y, M0, effort="quick", task="regression")
    assert found.metric == "R²" and 25 < found.score < 70
    assert found.confusion == () and found.bound is None


def test_labels_may_be_texts_and_rows_a_frame(quick: None) -> None:
    frame = load_wine(as_frame=True).frame
    labels = frame.pop("target").map({0: "a", 1: "b", 2: "c"})
    found = nk.fit_table(frame, labels, M0, effort="quick")
    assert found.classes == ("a", "b", "c")
    if found.tree:
        assert found.tree["root"]["if"].split(" ≤ ")[0] in frame.columns


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        (np.ones((30, 2)), np.ones(29), "30 rows"),
        (np.full((30, 2), np.nan), np.arange(30) % 2, "row 0, column 0"),
        ([["a", "b"]] * 30, np.arange(30) % 2, "no number"),
        (np.ones((30, 2)), np.zeros(30, int), "1 classes"),
        (np.ones((5, 2)), np.arange(5) % 2, "at least 20"),
        (np.ones(30), np.arange(30) % 2, r"\(n, features\)"),
        (np.ones((30, 2)), np.arange(30), "30 classes.*task regression"),
        (np.ones((300, 2)), np.arange(300), "300 classes.*task regression"),
    ],
)
def test_unusable_tables_are_refused(x: Array, y: Array, said: str) -> None:
    with pytest.raises(DataError, match=said):
        nk.fit_table(x, y, M0)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"seed": -1}, "seed is -1"),
        ({"jobs": 0}, "jobs is 0"),
        ({"cycles": 0}, "limit of cycles is 0"),
        ({"flash": -5}, "limit of flash is -5"),
    ],
)
def test_numbers_that_ask_for_nothing_are_refused(asked: dict[str, int], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        nk.fit_table(*wine(), M0, **asked)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("t.csv", "--target", "y", "--max-drop", "1", "--time", "9s"), "--max-drop, --time"),
        (("t.csv", "--target", "y", "--data", "digits"), "--data: is no option for a table"),
        (("t.csv", "--target", "y", "--task", "ranking"), "'ranking'"),
        (("t.csv", "--target", "y", "--cycles", "0"), "limit of cycles is 0"),
        (("net.onnx", "--data", "digits", "--cycles", "9"), "--cycles: is no option for a net"),
    ],
)
def test_the_command_refuses_what_it_would_forget(
    arguments: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [f"{i % 7},{i % 3},{'uv'[i % 2]}" for i in range(40)]
    Path("t.csv").write_text("\n".join(["a,b,y", *rows]))
    assert main(["fit", *arguments, "-d", M0, "-o", "run", "--effort", "quick"]) == 2
    assert said in capsys.readouterr().err


def test_whole_targets_of_any_name_may_be_a_regression(
    quick: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"{i % 7},{i % 3},{3 * (i % 7) + 100}" for i in range(40)]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,how & 100%", *rows]))
    asked = ("--target", "how & 100%", "--task", "regression", "--effort", "quick", "--json")
    assert main(["fit", str(tmp_path / "t.csv"), *asked, "-d", M0, "-o", str(tmp_path / "r")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["metric"] == "R²" and found["score"] > 99


def test_an_unknown_effort_is_refused() -> None:
    table = make_table(*wine(), 0.25, 0)
    with pytest.raises(UsageError, match="quick, normal, thorough"):
        search_table(table, device(M0), TableLimits(), effort="heroic")


@pytest.mark.parametrize("family", list(FAMILIES))
def test_every_family_learns_something_and_predicts_with_its_integers(family: str) -> None:
    table = make_table(*wine(), 0.25, 0)
    design = next(c for c in candidates(table, 1024, "quick", 0) if c.family == family)
    estimator = design.estimator
    if "max_iter" in estimator.get_params():
        estimator = estimator.set_params(max_iter=300)
    _, graph = fitted(estimator, table, table.train)
    said = predictions(graph, table.x[table.sealed])
    assert table.score(table.sealed, said) > 70


def test_the_front_holds_what_nothing_beats() -> None:
    def design(name: str, score: float, *sizes: int) -> Design:
        return Design(name, "f", Trial((score,), TableSizes(*sizes)))

    designs = [design("a", 90, 10, 5, 9), design("b", 91, 20, 5, 9), design("c", 89, 20, 5, 9)]
    failed = Design("d", "f", Trial((), None, "why"))
    assert pareto([*designs, failed]) == ("a", "b")


def test_a_killed_search_goes_on_to_the_same_end(quick: None, tmp_path: Path) -> None:
    table = tmp_path / "wine.csv"
    load_wine(as_frame=True).frame.to_csv(table, index=False)
    words = [str(table), "--target", "target", "-d", M0, "--effort", "quick", "--ram", "1KiB"]
    code = (
        "import sys; from netsuke.cli.main import main\n"
        "from netsuke.estimators.search import FAMILIES\n"
        f"for name in {SLOW}: del FAMILIES[name]\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    run = [sys.executable, "-c", code, "fit", *words, "-o", str(tmp_path / "run")]
    process = subprocess.Popen(run, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while len(list(tmp_path.glob("run/first-*.json"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "run" / "result.json").exists()
    assert main(["fit", *words, "-o", str(tmp_path / "run")]) == 2  # occupied, not asked to go on
    assert main(["fit", *words, "-o", str(tmp_path / "run"), "--resume"]) == 0
    assert main(["fit", *words, "-o", str(tmp_path / "whole")]) == 0
    results = [json.loads((tmp_path / n / "result.json").read_text()) for n in ("run", "whole")]
    assert results[0] == results[1]


def test_the_page_shows_designs_tree_and_confusion(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    frame = load_wine(as_frame=True).frame
    labels = frame.pop("target").map({0: "<b>barolo", 1: "grignolino", 2: "barbera"})
    for name in [name for name in FAMILIES if name != "tree"]:
        monkeypatch.delitem(FAMILIES, name)
    nk.fit_table(frame, labels, M0, effort="quick", out=tmp_path / "run")
    page = report_page(tmp_path / "run")
    assert "Designs that were tried" in page and "Confusion on the sealed rows" in page
    assert "proline ≤" in page and 'class="answer"' in page
    assert "<b>barolo" not in page and "&lt;b&gt;barolo" in page


def test_a_missing_compiler_is_asked_for_before_anything_is_trained(tmp_path: Path) -> None:
    code = (
        "import netsuke as nk; from sklearn.datasets import load_wine\n"
        "nk.fit_table(*load_wine(return_X_y=True), 'arduino-uno')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": str(tmp_path)},
        timeout=60,
        check=False,
    )
    assert "MissingToolError" in done.stderr and "apt install gcc-avr" in done.stderr
