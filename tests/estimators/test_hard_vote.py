"""Forests whose trees have one vote each, from a person's hands to the device's integers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

import netsuke as nk
from netsuke.cli.main import main
from netsuke.devices import device
from netsuke.errors import UsageError
from netsuke.estimators.convert import to_graph
from netsuke.estimators.search.families import candidates
from netsuke.estimators.search.table import make_table
from netsuke.estimators.search.trial import predictions, try_design

avr = pytest.mark.skipif(shutil.which("avr-gcc") is None, reason="avr-gcc is not installed")


@pytest.mark.parametrize("kind", [RandomForestClassifier, ExtraTreesClassifier])
def test_the_class_with_most_votes_wins(kind: type) -> None:
    X, y = load_digits(return_X_y=True)
    model = kind(15, max_depth=5, random_state=0).fit(X, y)
    votes = np.stack([tree.predict(X) for tree in model.estimators_]).astype(int)
    most = np.apply_along_axis(np.bincount, 0, votes, minlength=10).argmax(0)
    assert (predictions(to_graph(model, X, vote="hard"), X) == most).all()
    assert (predictions(to_graph(model, X), X) != most).any()


@avr
def test_the_command_line_fits_fifty_trees_into_sixteen_kilobytes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    X, y = load_digits(return_X_y=True)
    X, _, y, _ = train_test_split(X, y, test_size=0.3, random_state=0, stratify=y)
    forest = RandomForestClassifier(50, max_depth=8, random_state=0).fit(X, y)
    joblib.dump(forest, tmp_path / "forest.joblib")
    np.savez(tmp_path / "rows.npz", x=X, y=y)
    words = ["compile", str(tmp_path / "forest.joblib"), "--device", "arduino-uno", "--json"]
    words += ["--trust-pickle", "--data", str(tmp_path / "rows.npz"), "--vote"]
    flash = {}
    for vote in ("hard", "soft"):
        assert main([*words, vote, "-o", str(tmp_path / vote)]) == 0
        flash[vote] = json.loads(capsys.readouterr().out)["flash"]
    assert flash["hard"] <= 16 << 10 < flash["soft"]


def test_a_hard_vote_takes_half_the_flash_of_a_soft_one() -> None:
    X, y = load_digits(return_X_y=True)
    table = make_table(X, y, 0.25, 0)
    designs = {c.name: c for c in candidates(table, 32768, "quick", 0)}
    name = "forest random of 20 trees of depth 6"
    trials = [
        try_design(
            design.estimator, table, table.folds(5, 0)[:1], device("microbit-v2"), vote=design.vote
        )
        for design in (designs[name], designs[f"{name}, hard vote"])
    ]
    soft, hard = (trial.sizes.flash for trial in trials if trial.sizes)
    assert [designs[name].vote, designs[f"{name}, hard vote"].vote] == ["soft", "hard"]
    assert hard < 0.65 * soft and trials[1].mean > trials[0].mean - 3


def test_a_vote_of_what_does_not_vote_is_refused() -> None:
    X, y = load_digits(return_X_y=True)
    tree = DecisionTreeClassifier(max_depth=3).fit(X, y)
    with pytest.raises(UsageError, match="DecisionTreeClassifier do not vote"):
        nk.compile(tree, "arduino-uno", X, vote="hard")
    with pytest.raises(UsageError, match="'soft' or 'hard', not 'loud'"):
        nk.compile(tree, "arduino-uno", X, vote="loud")
    with pytest.raises(UsageError, match="is for estimators"):
        nk.compile("model.onnx", "arduino-uno", vote="hard")
