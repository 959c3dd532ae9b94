"""`netsuke bench kernels` counts every kernel of a model's layers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from netsuke.cli import main
from netsuke.devices.catalogue import BOARDS

MODEL = "lenet?width=0.25&size=8"


def test_every_kernel_is_listed_with_its_rate(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "kernels", MODEL, "--json"]) == 0
    table = json.loads(capsys.readouterr().out)
    assert {"conv2d", "dense", "max_pool2d"} <= {row["op"] for row in table}
    assert len({row["function"] for row in table if row["op"] == "conv2d"}) > 2
    for row in table:
        work = row["macs"] or row["elements"]
        assert row["per_mac"] == pytest.approx(row["instructions"] / work)
        assert 0.3 < row["per_mac"] < 200


def test_operators_and_cores_can_be_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "kernels", MODEL, "--op", "dense", "-d", "rpi-pico", "--json"]) == 0
    table = json.loads(capsys.readouterr().out)
    assert {row["op"] for row in table} == {"dense"}
    assert not any("dsp" in row["function"] for row in table)
    assert main(["bench", "kernels", MODEL, "--op", "dense"]) == 0
    text = capsys.readouterr().out
    assert "dense_s8_dsp" in text
    assert "/MAC" in text


def test_a_core_that_nothing_counts_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "kernels", MODEL, "-d", "esp32-s3-n8r8"]) == 2
    assert "cannot be emulated" in capsys.readouterr().err


def test_compile_takes_measured_costs_and_a_limit_of_flash(
    tmp_path: object, capsys: pytest.CaptureFixture[str]
) -> None:
    base = ["compile", MODEL, "-d", "nucleo-f446re", "-o", f"{tmp_path}/out", "--json"]
    assert main([*base, "--measure"]) == 0
    measured = json.loads(capsys.readouterr().out)
    assert measured["arena"] > 0
    assert main([*base, "--flash", "1K"]) == 3
    assert "flash" in capsys.readouterr().err


def test_a_limit_of_zero_is_a_limit(tmp_path: object, capsys: pytest.CaptureFixture[str]) -> None:
    base = ["compile", MODEL, "-d", "nucleo-f446re", "-o", f"{tmp_path}/out"]
    assert main([*base, "--flash", "0"]) == 3
    assert "has 0 B" in capsys.readouterr().err
    assert main([*base, "--ram", ""]) == 4


def test_no_limit_of_flash_is_more_than_the_device_has(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = BOARDS / "generic-cortex-m4-256k.toml"
    small = tmp_path / "small.toml"
    small.write_text(board.read_text().replace('size = "1MiB"', 'size = "2KiB"'))
    assert main(["compile", MODEL, "-d", f"{small}", "-o", f"{tmp_path}/out", "--flash", "1M"]) == 3
    assert "has 2,048 B" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
