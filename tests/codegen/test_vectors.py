"""The self-test that ships passes on the artifact's own C, and fails when a weight changes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from random_graphs import random_graph

from netsuke.codegen import compile_graph
from netsuke.devices import device
from netsuke.verify.toolchain import host_compiler

MAIN = """int model_selftest(void);
int main(void) { return model_selftest(); }
"""


def selftest(folder: Path) -> int:
    (folder / "main.c").write_text(MAIN)
    compiler = host_compiler()
    sources = ["main.c", "model.c", "test/selftest.c"]
    sources += sorted(f"kernels/{path.name}" for path in (folder / "kernels").glob("*.c"))
    command = [
        *compiler.command,
        "-std=c99",
        "-ffp-contract=off",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-I.",
        "-Ikernels",
        *sources,
        "-o",
        "selftest",
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return subprocess.run([folder / "selftest"], check=False).returncode


@pytest.mark.parametrize("integer", [True, False], ids=["int8", "float"])
def test_it_passes_on_the_artifacts_own_code(tmp_path: Path, integer: bool) -> None:
    artifact = compile_graph(random_graph(11, integer), device("rpi-pico"), selftest=True)
    assert selftest(artifact.write(tmp_path / "model")) == 0


def test_it_finds_a_changed_expectation(tmp_path: Path) -> None:
    artifact = compile_graph(random_graph(11, True), device("rpi-pico"), selftest=True)
    folder = artifact.write(tmp_path / "model")
    vectors = folder / "test" / "vectors.h"
    text = vectors.read_text()
    start = text.index("expected_0")
    first = text.index("{", start) + 1
    end = text.index(",", first)
    value = int(text[first:end])
    vectors.write_text(f"{text[:first]} {value - 1 if value > 0 else value + 1}{text[end:]}")
    assert selftest(folder) == 1


def test_an_arduino_library_keeps_it_out_of_its_sources(tmp_path: Path) -> None:
    graph = random_graph(11, True)
    artifact = compile_graph(graph, device("nano-33-ble"), target="arduino", selftest=True)
    names = [str(path) for path in artifact.files]
    assert "extras/test/selftest.c" in names
    assert not [name for name in names if name.startswith("src/test")]
