"""Files of fitted estimators: what is loaded, and what is not."""

from __future__ import annotations

import pickle
from pathlib import Path

import joblib
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import netsuke as nk
from netsuke.cli.main import main
from netsuke.errors import MissingToolError, ModelError, UsageError
from netsuke.estimators.files import load_estimator


class Bomb:
    """Leaves a trace when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self):
        return (Path.touch, (self.trace,))


@pytest.fixture(scope="module")
def fitted():
    x, y = load_iris(return_X_y=True)
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(x, y)


@pytest.mark.parametrize("suffix", [".joblib", ".pkl", ".pickle"])
def test_a_pickle_is_loaded_only_with_the_persons_word(tmp_path: Path, fitted, suffix: str) -> None:
    trace, path = tmp_path / "trace", tmp_path / f"model{suffix}"
    path.write_bytes(pickle.dumps(Bomb(trace)))
    for attempt in (load_estimator, lambda p: nk.check(p, "arduino-uno")):
        with pytest.raises(UsageError, match="runs the code that it contains"):
            attempt(path)
        assert not trace.exists()
    joblib.dump(fitted, path)
    assert load_estimator(path, trust_pickle=True).predict([[5.0, 3.5, 1.4, 0.2]]) == [0]
    assert nk.check(path, "arduino-uno", trust_pickle=True).fits


def test_a_pickle_that_breaks_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "model.joblib"
    path.write_bytes(b"\x80\x04no pickle")
    with pytest.raises(ModelError, match=r"model\.joblib: cannot be loaded"):
        load_estimator(path, trust_pickle=True)
    path.write_bytes(pickle.dumps({"no": "estimator"}))
    with pytest.raises(UsageError, match="holds a dict"):
        load_estimator(path, trust_pickle=True)
    with pytest.raises(ModelError, match="does not exist"):
        load_estimator(tmp_path / "absent.pkl")


def test_a_skops_file_needs_no_word(tmp_path: Path, fitted) -> None:
    skops = pytest.importorskip("skops.io", reason="left out: skops is not installed")
    path = tmp_path / "model.skops"
    skops.dump(fitted, path)
    assert nk.check(path, "arduino-uno").fits
    skops.dump(Odd(), path)
    with pytest.raises(ModelError, match=r"not known to be safe.*Odd"):
        load_estimator(path)
    path.write_bytes(b"no archive")
    with pytest.raises(ModelError, match="cannot be read"):
        load_estimator(path)


class Odd(LogisticRegression):
    """A type of somebody's own."""


def test_without_skops_the_extra_is_named(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "skops.io", None)
    path = tmp_path / "model.skops"
    path.write_bytes(b"x")
    with pytest.raises(MissingToolError, match=r"netsuke\[skops\]"):
        load_estimator(path)


def test_the_command_line_compiles_a_model_and_tells_its_classes(
    tmp_path: Path, fitted, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "model.joblib", tmp_path / "build"
    joblib.dump(fitted, path)
    words = ["compile", str(path), "--device", "arduino-uno", "--out", str(out)]
    assert main(words) == 2 and "--trust-pickle" in capsys.readouterr().err
    assert not out.exists()
    assert main([*words, "--trust-pickle", "--stream"]) == 0
    manifest = (out / "manifest.json").read_text()
    assert '"classes"' in manifest and '"stream": true' in manifest
    assert '"estimator": "StandardScaler | LogisticRegression"' in manifest
    assert "model_push" in (out / "model.h").read_text()
    assert (out / "model_features.h").is_file()
