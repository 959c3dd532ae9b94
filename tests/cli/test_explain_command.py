"""`netsuke explain`: reasons for a row, in words and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import joblib
import pytest
from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeClassifier

from netsuke.cli.main import main


@pytest.fixture
def model(tmp_path: Path) -> str:
    X, y = load_iris(return_X_y=True, as_frame=True)
    path = tmp_path / "tree.joblib"
    joblib.dump(DecisionTreeClassifier(max_depth=2, random_state=0).fit(X, y), path)
    return str(path)


def test_reasons_of_a_row_are_told_in_words(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", model, "--row", "5.1,3.5,1.4,0.2", "--trust-pickle"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("prediction: 0 (score 1)") and "petal" in said and "<= " in said


def test_reasons_as_json_add_up(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["explain", model, "--row", "6.3,2.9,5.6,1.8", "--trust-pickle", "--json"]
    assert main(words) == 0
    told = json.loads(capsys.readouterr().out)
    added = sum(feature["2"] for feature in told["contributions"].values())
    assert told["prediction"] == "2"
    assert told["base"]["2"] + added == pytest.approx(told["scores"]["2"])
    assert len(told["path"]) == 2 and len(told["contributions"]) == 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--row", "1,two,3,4", "--trust-pickle"], "no finite number"),
        (["--row", "1,nan,3,4", "--trust-pickle"], "no finite number"),
        (["--row", "1,2,3", "--trust-pickle"], "rows of 4 features, 3 are given"),
        (["--row", "1,2,3,4"], "--trust-pickle"),
    ],
)
def test_what_is_no_row_or_not_trusted_is_refused(
    model: str, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", model, *words]) == 2
    assert said in capsys.readouterr().err
