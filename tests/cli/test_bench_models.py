"""`netsuke bench MODEL` compares float with int8."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from netsuke.cli import main

MODEL = "lenet?width=0.25&size=8"


def test_a_model_is_compared_in_float_and_int8(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--runtimes", "float,int8,c", "--device", "nucleo-f446re", "--data"]
    assert main(["bench", MODEL, *arguments, "digits?size=8", "--json"]) == 0
    real, integer = json.loads(capsys.readouterr().out)
    assert (real["precision"], integer["precision"]) == ("float", "int8")
    assert integer["size"] < real["size"]  # tables of a tiny network are mostly scales
    assert integer["memory"][1] < real["memory"][1]
    assert integer["device_milliseconds"] > 0
    assert integer["sources"]["device ms"].startswith("modelled")
    for row in (real, integer):
        assert 0 <= row["accuracy"] <= 100
        assert row["milliseconds"] > 0


def test_an_unknown_word_among_the_runtimes_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "models", MODEL, "--runtimes", "float8"]) == 2
    assert "float8" in capsys.readouterr().err


def test_on_this_machine_memory_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("onnxruntime")
    arguments = ["--runtimes", "float,c,onnxruntime", "--data", "digits?size=8"]
    assert main(["bench", MODEL, *arguments]) == 0
    shown = capsys.readouterr().out
    assert main(["bench", MODEL, *arguments, "--json"]) == 0
    ours, process = json.loads(capsys.readouterr().out)
    assert ours["sources"]["memory"] == "exact: the arena"
    assert ours["memory"][0] < 100_000
    assert process["sources"]["memory"].startswith("measured here")
    assert process["memory"][0] == process["memory"][1] > 20_000_000
    assert process["accuracy"] == pytest.approx(ours["accuracy"], abs=1)
    assert "device ms" not in shown  # nothing is modelled here
    assert "memory (onnxruntime): measured here" in shown


def test_a_file_runs_in_every_runtime_and_the_accuracies_agree(
    real_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("ai_edge_litert")
    file = real_data / "mlperf_tiny" / "pretrainedResnet_quant.tflite"
    images = f"{real_data / 'cifar10' / 'train_jpeg.zip'}?normalise=raw&limit=200"
    assert main(["bench", str(file), "--data", images, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["runtime"] for row in rows] == ["c", "onnxruntime", "litert"]
    assert {row["precision"] for row in rows} == {"int8"}
    assert {row["parameters"] for row in rows} == {rows[0]["parameters"]}
    # 40 images, of which rounding turns one at most; the published 8-bit network is right in 81 %
    # of these re-encoded images.
    assert max(r["accuracy"] for r in rows) - min(r["accuracy"] for r in rows) <= 2.5
    assert min(row["accuracy"] for row in rows) >= 60
    assert rows[2]["size"] == file.stat().st_size


@pytest.mark.parametrize("runtimes", ["litert", "int8,litert"])
def test_a_table_without_rows_is_refused(runtimes: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", MODEL, "--runtimes", runtimes]) == 2
    assert "LiteRT runs .tflite files" in capsys.readouterr().err


def test_a_runtime_that_is_not_installed_is_left_out_by_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("netsuke.profile.comparison.PACKAGES", {"onnxruntime": "no_such_package"})
    assert main(["bench", MODEL, "--runtimes", "float", "--json"]) == 0
    printed = capsys.readouterr()
    assert [row["runtime"] for row in json.loads(printed.out)] == ["c"]
    assert "not installed and left out: onnxruntime" in printed.err
