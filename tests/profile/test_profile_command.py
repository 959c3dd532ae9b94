"""`netsuke profile`: commands, models, files of variants, and the page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from netsuke.cli import main
from netsuke.errors import UsageError
from netsuke.profile.variants import read_variants
from netsuke.report import profile_page

PROGRAM = """
import sys, time
from netsuke.profile import phase, report_metric
size = int(sys.argv[1])
with phase("<train>"):
    x = bytearray(size)
    time.sleep(0.02)
    if size == 13:
        sys.exit("unlucky")
report_metric("accuracy", 0.9)
"""
VARIANTS = """
name = "sizes"
command = ["python", "program.py"]
interval = 0.01
repeat = 2
[[variant]]
name = "large"
arguments = ["100000000"]
[[variant]]
name = "small"
arguments = ["1000"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "variants.toml").write_text(VARIANTS)
    return tmp_path


def test_variants_are_compared_in_one_table_and_one_page(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder / "out"
    assert main(["profile", str(folder / "variants.toml"), "-o", str(out)]) == 0
    shown = capsys.readouterr().out
    result = json.loads((out / "profile.json").read_text())
    large, small = result["variants"]
    assert large["peak"] > small["peak"] + 90_000_000
    assert f"{small['peak'] / large['peak']:.2%}" in shown
    page = (out / "report.html").read_text()
    assert page == profile_page(result)
    assert "&lt;train&gt;" in page and "<train>" not in page
    assert page.count("<svg") == 3, "one picture for all, and one a variant"


def test_a_transient_that_samples_miss_is_shown_beside_them(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = """
from netsuke.profile import phase
with phase("large"):
    a = bytearray(90_000_000); del a
"""
    (folder / "transient.py").write_text(text)
    command = ["profile", "-n", "1", "--interval", "30", "-o", str(folder / "out")]
    assert main([*command, "--", "python", str(folder / "transient.py")]) == 0
    shown = capsys.readouterr().out
    (variant,) = json.loads((folder / "out" / "profile.json").read_text())["variants"]
    (run,) = variant["runs"]
    assert run["peak"] > variant["base"] + 85_000_000 > run["sampled_peak"]
    assert run["missed"] == pytest.approx(1 - run["sampled_peak"] / run["peak"])
    peak, sampled = f"{run['peak'] / 1e6:,.2f} MB", f"{run['sampled_peak'] / 1e6:,.2f} MB"
    assert "Samples every 30000 ms miss peaks" in shown
    assert f"true peak {peak}, largest sample {sampled}; {run['missed']:.1%}" in shown
    page = (folder / "out" / "report.html").read_text()
    assert f"{run['missed']:.1%} of a peak was in no sample" in page
    assert f"true peak {peak}, largest sample {sampled}, one every 30000 ms" in page
    assert 'class="sampled"' in page, "the picture has the sampled level, too"


def test_samples_that_see_the_peak_need_no_word(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "import time; a = bytearray(90_000_000); time.sleep(0.3)"
    (folder / "steady.py").write_text(text)
    command = ["profile", "-n", "1", "--interval", "0.01", "-o", str(folder / "out")]
    assert main([*command, "--", "python", str(folder / "steady.py")]) == 0
    assert "miss peaks" not in capsys.readouterr().out
    page = (folder / "out" / "report.html").read_text()
    assert "in no sample" not in page and 'class="sampled"' not in page


def test_the_share_above_the_base_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", "-n", "1", str(folder / "variants.toml"), "-o", str(folder)]) == 0
    shown = capsys.readouterr().out
    large, small = json.loads((folder / "profile.json").read_text())["variants"]
    assert 0 < small["base"] <= small["peak"]
    share = (small["peak"] - small["base"]) / (large["peak"] - large["base"])
    assert share < 0.2
    assert (
        f"{share:.2%}" in shown and f"<td>{share:.2%}</td>" in (folder / "report.html").read_text()
    )


def test_a_program_that_fails_is_reported_and_shown(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["profile", "--json", "-n", "2", "--", "python", str(folder / "program.py"), "13"]
    assert main(command) == 4
    shown = capsys.readouterr()
    (variant,) = json.loads(shown.out)["variants"]
    assert not variant["done"] and len(variant["runs"]) == 1
    assert variant["runs"][0]["phases"][0]["name"] == "<train>"
    assert "failed with exit status 1" in shown.err and "unlucky" in shown.err
    page = profile_page(json.loads(shown.out))
    assert "The run broke off (failed, exit status 1)" in page and "<code>unlucky</code>" in page


def test_a_model_has_its_phases_without_a_mark(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("onnxruntime", reason="left out: profiling a model in ONNX Runtime")
    assert main(["profile", "lenet?width=0.5", "-n", "1", "--runs", "5", "--json"]) == 0
    (variant,) = json.loads(capsys.readouterr().out)["variants"]
    assert [row["name"] for row in variant["phases"]][:3] == ["load", "first run", "runs"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-program"],
        ["missing.toml"],
        ["lenet", "--runtime", "tensorflow"],
        ["lenet", "--runtime", "litert"],
        ["--line", "nonsense", "--", "true"],
        ["--line", "a=(", "--", "true"],
        ["--interval", "0", "lenet", "--", "true"],
        ["-n", "1001", "--", "true"],
    ],
)
def test_a_wrong_call_is_one_error(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["profile", *arguments]) == 2
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.startswith("netsuke: ") and shown.err.count("\n") == 1


def test_phases_come_from_the_environment_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NETSUKE_PHASES", "say=^hello;work=call:work")
    (folder / "other.py").write_text("def work():\n    print('hello')\nwork()\n")
    assert main(["profile", "-n", "1", "--json", "--", "python", str(folder / "other.py")]) == 0
    (variant,) = json.loads(capsys.readouterr().out)["variants"]
    assert {row["name"] for row in variant["phases"]} == {"say", "work", "whole run"}


@pytest.mark.parametrize(
    "text",
    [
        "name = ",
        "nonsense = 1",
        "variant = []",
        "variant = 3",
        'command = "one text"',
        "command = ['true']\nrepeat = 'three'",
        "command = ['true']\nenvironment = ['A']",
        "command = ['true']\n[[variant]]\nname = 'a'\n[[variant]]\nname = 'a'",
        "command = ['true']\n[[variant]]\nrepeat = 3",
        "[[variant]]\nname = 'without a command'",
        "command = ['true']\nrepeat = nan",
        "command = ['true']\nrepeat = 2.5",
        "command = ['true']\nrepeat = true",
        "command = ['true']\ninterval = nan",
        "command = ['true']\nshared = 'no'",
        "command = ['true']\nname = ['a']",
        "command = ['true']\n[[variant]]\nname = 3",
    ],
)
def test_a_wrong_file_of_variants_is_one_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "variants.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match="variants"):
        read_variants(path)


def test_what_cannot_be_run_or_written_is_refused_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "variants.toml"
    first = "command = ['touch', 'ran']\nrepeat = 1\n[[variant]]\nname = 'a'\n[[variant]]\n"
    for missing in ("no-such-program", "./no-such-program"):
        path.write_text(first + f"command = ['{missing}']")
        assert main(["profile", str(path)]) == 2
        assert f"{missing}: cannot be run" in capsys.readouterr().err
    path.write_text(first + "name = 'b'")
    for folder in (path, path / "below"):
        assert main(["profile", str(path), "-o", str(folder)]) == 2
        assert "cannot be written" in capsys.readouterr().err
    assert not (tmp_path / "ran").exists()
    assert main(["profile", str(path)]) == 0
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("damage", [{}, {"schema": "x"}, {"schema": "netsuke-profile/1"}])
def test_a_damaged_profile_is_one_error(damage: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        profile_page(damage)
