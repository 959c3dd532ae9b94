"""`netsuke bench MODEL` compares float with int8."""

from __future__ import annotations

import json

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
