"""The commands as a person types them: results on stdout, errors on stderr, exit codes."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from netsuke.cli import main
from netsuke.cli.output import show_json
from netsuke.codegen.onnx import to_onnx
from netsuke.frontend import load
from netsuke.ir import Port
from netsuke.models import build

MODEL = "lenet?size=8"
BOARD = "nucleo-f446re"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(list(arguments))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def run_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    code, out, err = run(capsys, *arguments, "--json")
    assert code == 0, err
    return json.loads(out)


@pytest.fixture(scope="module")
def onnx_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "lenet.onnx"
    graph = build(MODEL)
    shown = {graph.inputs[0]: Port((1, 2, 0), "float32")}
    path.write_bytes(to_onnx(replace(graph, ports=shown)))
    return path


@pytest.fixture(scope="module")
def artifact(onnx_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("artifacts") / "lenet"
    arguments = ["compile", str(onnx_file), "-d", BOARD, "--data", "digits", "-o", str(folder)]
    assert main(arguments) == 0
    return folder


def test_check_answers_with_the_promised_keys(capsys, onnx_file: Path) -> None:
    answer = run_json(capsys, "check", str(onnx_file), "--device", BOARD)
    assert answer["fits"] is True
    assert answer["flash"]["needed"] < answer["flash"]["available"] == 512 * 1024
    assert answer["ram"]["needed"] < answer["ram"]["available"]
    assert {"peak_node", "needed", "available"} <= set(answer["ram"])
    assert answer["unsupported"] == [] and answer["macs"] > 0 and answer["parameters"] > 0


def test_check_of_a_zoo_model_that_is_too_large_exits_with_3(capsys) -> None:
    code, out, _ = run(capsys, "check", "mobilenet_v1", "--device", BOARD)
    assert code == 3
    assert "Does not fit" in out and "times too much" in out


def test_compile_reports_linked_sizes_and_writes_the_promised_files(
    capsys, onnx_file: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    answer = run_json(
        capsys, "compile", str(onnx_file), "--device", BOARD, "--data", "digits", "-o", str(folder)
    )
    assert answer["flash"] == answer["code"] + answer["weights"]
    for name in ("model.h", "model.c", "manifest.json", "CMakeLists.txt"):
        assert name in answer["files"] and (folder / name).is_file()
    assert answer["arena"] == json.loads((folder / "manifest.json").read_text())["arena"]


def test_the_same_input_compiles_to_the_same_bytes(onnx_file: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        arguments = ["compile", str(onnx_file), "-d", BOARD, "--data", "digits", "-o"]
        assert main([*arguments, str(tmp_path / name)]) == 0
    first = {p.relative_to(tmp_path / "a"): p.read_bytes() for p in (tmp_path / "a").rglob("*.*")}
    second = {p.relative_to(tmp_path / "b"): p.read_bytes() for p in (tmp_path / "b").rglob("*.*")}
    assert first == second


def test_verify_proves_the_artifact_and_writes_a_certificate(capsys, artifact: Path) -> None:
    answer = run_json(capsys, "verify", str(artifact), "--on", "host", "--on", "unicorn")
    assert answer["bit_exact"] is True
    assert answer["samples"] > 0 and answer["instructions"] > 1000 and answer["heap"] == 0
    assert 0 < answer["stack"] < 4096
    certificate = json.loads((artifact / "certificate.json").read_text())
    assert certificate["bit_exact"] is True


def test_a_changed_weight_is_found_by_verify(capsys, artifact: Path, tmp_path: Path) -> None:
    import shutil

    broken = tmp_path / "broken"
    shutil.copytree(artifact, broken)
    data = broken / "model_data.h"
    text = data.read_text()
    start = text.index("{", text.index("NSK_TABLE int8_t"))
    data.write_text(text[:start] + text[start:].replace(" 1,", " -128,"))
    code, out, err = run(capsys, "verify", str(broken), "--on", "host")
    assert code != 0
    assert "NOT bit-exact" in out or "differ" in err or "hash" in err


@pytest.mark.parametrize("on", ["host", "unicorn"])
def test_run_takes_the_model_files_own_layout(capsys, artifact: Path, tmp_path: Path, on) -> None:
    images = np.random.default_rng(0).random((5, 1, 8, 8)).astype(np.float32)
    np.save(tmp_path / "x.npy", images)
    answer = run_json(
        capsys,
        "run",
        str(artifact),
        "--on",
        on,
        "--input",
        str(tmp_path / "x.npy"),
        "--output",
        str(tmp_path / "y.npy"),
    )
    result = np.load(tmp_path / "y.npy")
    assert answer["samples"] == 5 and result.shape == (5, 10) and result.dtype == np.float32


def test_run_gives_the_same_on_host_and_emulator(capsys, artifact: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    np.save(tmp_path / "x.npy", rng.random((4, 1, 8, 8)).astype(np.float32))
    results = []
    for on in ("host", "unicorn"):
        run_json(
            capsys,
            "run",
            str(artifact),
            "--on",
            on,
            "--input",
            str(tmp_path / "x.npy"),
            "--output",
            str(tmp_path / f"{on}.npy"),
        )
        results.append(np.load(tmp_path / f"{on}.npy"))
    np.testing.assert_array_equal(*results)


def test_quantize_writes_an_int8_onnx_that_compiles_alike(
    capsys, onnx_file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "int8.onnx"
    answer = run_json(capsys, "quantize", str(onnx_file), "--data", "digits", "-o", str(out))
    assert answer["out"] == str(out)
    folder = tmp_path / "int8"
    run_json(capsys, "compile", str(out), "--device", BOARD, "-o", str(folder))
    assert run_json(capsys, "verify", str(folder), "--on", "host")["bit_exact"] is True


def test_report_is_one_page_that_loads_nothing(capsys, artifact: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    code, _, _ = run(capsys, "report", str(artifact), "-o", str(page))
    text = page.read_text()
    assert code == 0
    assert "http://" not in text and "https://" not in text and len(text) < 300_000
    assert "Arena map" in text and "Memory over steps" in text


def test_report_says_for_machines_where_the_page_is(capsys, artifact: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    answer = run_json(capsys, "report", str(artifact), "-o", str(page))
    assert answer == {"out": str(page), "bytes": page.stat().st_size}


def test_the_version_is_that_of_the_package(capsys) -> None:
    assert run(capsys, "--version")[:2] == (0, f"netsuke {version('netsuke')}\n")


def test_json_has_no_infinity(capsys) -> None:
    show_json({"a": [float("inf"), -1.5], "b": {"c": float("nan")}, "d": (1, True)})
    assert json.loads(capsys.readouterr().out, parse_constant=pytest.fail) == {
        "a": [None, -1.5],
        "b": {"c": None},
        "d": [1, True],
    }


def test_devices_lists_and_shows(capsys) -> None:
    boards = {board["id"] for board in json.loads(run(capsys, "devices", "--json")[1])}
    assert {BOARD, "arduino-uno", "rpi-pico"} <= boards
    assert run_json(capsys, "devices", "show", BOARD)["ram"] == 126 * 1024


def test_ops_lists_every_operator(capsys) -> None:
    from netsuke.ops import OPERATORS

    assert len(json.loads(run(capsys, "ops", "--json")[1])) == len(OPERATORS)


def test_doctor_names_the_emulator(capsys) -> None:
    tools = {tool["name"]: tool["found"] for tool in json.loads(run(capsys, "doctor", "--json")[1])}
    assert tools["unicorn"] is True


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("check", "missing.onnx", "-d", BOARD), 4, "missing.onnx"),
        (("check", MODEL, "-d", "no-such-board"), 4, "no-such-board"),
        (("check", MODEL), 2, ""),
        (("compile", MODEL, "-d", "arduino-uno", "-o", "{tmp}/x"), 3, "sram"),
        (("compile", MODEL, "-d", BOARD, "-o", "{tmp}/x", "-t", "zzz"), 2, "cmake"),
        (("compile", MODEL, "-d", BOARD, "-o", "/proc/nothing/x"), 2, "/proc/nothing"),
        (("verify", "{tmp}"), 2, "{tmp}"),
        (("run", "{tmp}", "--input", "a.npy", "--output", "b.npy"), 4, "a.npy"),
        (
            ("fit", MODEL, "--data", "digits", "-d", BOARD, "-o", "{tmp}/f", "--time", "x"),
            2,
            "time",
        ),
        (("quantize", MODEL, "--data", "nowhere", "-o", "{tmp}/x.onnx"), 4, "nowhere"),
        (("report", "{tmp}"), 2, "manifest.json"),
        (("quantize", MODEL, "--data", "digits", "-o", "{tmp}/x.onnx", "--samples", "-3"), 2, "-3"),
        (("compile", MODEL, "-d", BOARD, "-o", "{tmp}/x", "--ram", "64B"), 3, "has 64 B"),
        (("verify", "{artifact}", "--seed", "-1"), 2, "seed -1"),
        (("verify", "{artifact}", "--vectors", "0"), 2, "0 samples"),
        (("run", "{artifact}", "--output", "{tmp}/x.npy"), 4, "takes 1 input"),
    ],
)
def test_errors_are_one_message_with_the_right_exit_code(
    capsys, tmp_path: Path, artifact: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    places = {"tmp": tmp_path, "artifact": artifact}
    filled = [argument.format(**places) if "{" in argument else argument for argument in arguments]
    got, _, err = run(capsys, *filled)
    assert got == code, err
    assert words.replace("{tmp}", str(tmp_path)) in err and "Traceback" not in err
    assert not list(tmp_path.rglob("*x*"))


def numbers(shape: tuple[int, ...]) -> bytes:
    """An .npy header that promises an array, and nothing behind it."""
    stream = io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (numbers((0, 1, 8, 8)), "holds no sample"),
        (numbers((4, 1, 8, 8)), "no .npy file of numbers"),
        (numbers((10**13, 1, 8, 8)), "no .npy file of numbers"),
        (b"PK\x05\x06" + bytes(18), "is an archive"),
    ],
)
def test_unusable_arrays_are_refused(
    capsys, artifact: Path, tmp_path: Path, content: bytes, words: str
) -> None:
    x, y = tmp_path / "x.npy", tmp_path / "y.npy"
    x.write_bytes(content)
    code, _, err = run(capsys, "run", str(artifact), "--input", str(x), "--output", str(y))
    assert code == 4 and words in err and not y.exists()


def test_an_output_that_no_file_is_named_for_is_not_lost_silently(
    capsys, artifact: Path, tmp_path: Path
) -> None:
    np.save(tmp_path / "x.npy", np.zeros((1, 1, 8, 8), np.float32))
    files = [f"--output={tmp_path}/{name}.npy" for name in "yz"]
    code, _, err = run(capsys, "run", str(artifact), f"--input={tmp_path}/x.npy", *files)
    assert code == 2 and "1 output(s), 2 file(s)" in err


def program(*arguments: str, **options) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "netsuke", *arguments]
    return subprocess.run(command, text=True, check=False, **options)


def test_a_locale_without_unicode_changes_letters_only() -> None:
    bare = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = program("devices", "show", "rpi-4b", env=bare, capture_output=True)
    assert done.returncode == 0 and "4 ? cortex-a72" in done.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="left out: there is no /dev/full")
def test_a_full_disk_behind_stdout_is_told_in_one_line() -> None:
    with open("/dev/full", "w") as full:
        done = program("ops", stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert done.stderr.startswith("netsuke: ") and done.stderr.count("\n") == 1


def test_the_program_starts_quickly_enough_to_load_no_heavy_module() -> None:
    code = (
        "import sys\nfrom netsuke.cli import main\n"
        f"main(['check', {MODEL!r}, '-d', {BOARD!r}])\n"
        "print([m for m in ('torch', 'onnx', 'sklearn', 'scipy', 'unicorn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")


def test_sparsify_writes_a_model_with_zeros_and_says_what_went_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "sparse.onnx"
    asked = ("sparsify", MODEL, "--data", "digits?limit=300", "--rounds", "1", "--epochs", "1")
    found = run_json(capsys, *asked, "-o", str(out), "--sparsity", "0.9")
    kept = sum(layer["kept"] for layer in found["layers"].values())
    weights = sum(layer["weights"] for layer in found["layers"].values())
    assert kept == weights - int(0.9 * weights) and found["sparsity"] == pytest.approx(
        0.9, abs=1e-3
    )
    zeros = sum(int((tensor.data == 0).sum()) for tensor in load(out).constants())
    assert zeros >= weights - kept
    code, text, _ = run(capsys, *asked, "-o", str(out), "--layer", "dense10=0.5")
    assert code == 0 and "50.0%" in text
    bad = tmp_path / "bad.onnx"
    for wish, said in [
        (("--sparsity", "1"), "not between 0 and 1"),
        (("--sparsity", "-0.5"), "not between 0 and 1"),
        (("--layer", "nothing=0.5"), "no layer to prune is called 'nothing'"),
        (("--layer", "0.5"), "no layer to prune is called ''"),
        (("--layer", "dense1=x"), "write NAME=SHARE"),
        ((), "give either --sparsity"),
        (("--sparsity", "0.5", "--method", "luck"), "known are sensitivity"),
    ]:
        code, _, err = run(capsys, *asked, "-o", str(bad), *wish)
        assert code == 2 and said in err and err.count("\n") == 1 and not bad.exists()
