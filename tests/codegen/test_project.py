"""The folder that ships: it compiles as strictly as promised, and it respects a person's files."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from netsuke.codegen import Artifact, compile_graph
from netsuke.devices import device
from netsuke.errors import UsageError
from netsuke.ir import Graph, GraphBuilder
from netsuke.ops import Abs, Add, Exp, Softmax, Split, Transpose
from netsuke.verify.toolchain import host_compiler

STRICT = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Wpedantic", "-Werror")


def small() -> Graph:
    builder = GraphBuilder("small")
    x = builder.input("x", (2, 3))
    return builder.build([builder.one(Abs(), builder.one(Transpose((1, 0)), x))])


def hostile_names() -> Graph:
    builder = GraphBuilder('my "model" */ ünï ??/ \\')
    x = builder.input('x */ "q"\n#error A', (3,))
    y = builder.one(Add(), x, builder.constant("a.b" * 500, np.ones(3)), name="a b")
    z = builder.one(Add(), y, builder.constant("a/b" * 500, np.zeros(3)), name="a_b")
    return builder.build([builder.one(Softmax(), z, name="y */ ??/ \\")])


def many_ports() -> Graph:
    builder = GraphBuilder("ports")
    x, unused = builder.input("x", (4, 5)), builder.input("unused", (7,))
    _, right = builder.add(Split(1, (2, 3)), [x])
    constant = builder.constant("c", np.array([1, 2], np.int8))
    return builder.build([right, x, constant, right, builder.one(Exp(), unused)])


def no_inputs() -> Graph:
    builder = GraphBuilder("9")
    return builder.build([builder.one(Exp(), builder.constant("c", np.ones(2)))])


def artifact(graph: Graph, target: str = "cmake") -> Artifact:
    return compile_graph(graph, device("nano-33-ble"), target=target)


def compile_all(folder: Path, base: Path, output: Path) -> None:
    """Compile every C file below a folder, with that folder as the only place for headers."""
    compiler = host_compiler()
    for number, source in enumerate(sorted(base.rglob("*.c"))):
        command = [*compiler.command, *STRICT, f"-I{base}", "-c", str(source)]
        done = subprocess.run(
            [*command, "-o", str(output / f"{number}.o")],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{source.relative_to(folder)}:\n{done.stderr}"


@pytest.mark.parametrize("make", [small, hostile_names, many_ports, no_inputs])
@pytest.mark.parametrize(("target", "base"), [("cmake", "."), ("arduino", "src")])
def test_every_file_compiles_strictly_with_no_other_include_path(
    tmp_path: Path, make, target: str, base: str
) -> None:
    folder = artifact(make(), target).write(tmp_path / "project")
    assert (folder / base / "model.c").is_file()
    compile_all(folder, folder / base, tmp_path)


def test_the_arduino_sketch_names_only_inputs_and_outputs_that_exist() -> None:
    sketch = PurePosixPath("examples/Run/Run.ino")
    assert b"MODEL_INPUT_0" not in artifact(no_inputs(), "arduino").files[sketch]
    assert b"MODEL_INPUT_1" in artifact(many_ports(), "arduino").files[sketch]


def test_the_arduino_library_has_a_name_that_arduino_takes() -> None:
    text = artifact(hostile_names(), "arduino").files[PurePosixPath("library.properties")].decode()
    assert text.isascii() and text.splitlines()[0] == "name=netsuke_my_model_n_"


def test_an_earlier_artifact_is_replaced_with_all_of_its_files(tmp_path: Path) -> None:
    folder = artifact(hostile_names()).write(tmp_path / "x")
    (folder / "certificate.json").write_text("{}")
    (folder / "notes.txt").write_text("mine")
    (folder / "kernels" / "mine.c").write_text("mine")
    wanted = artifact(small())
    wanted.write(folder)
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert there == {*map(str, wanted.files), "notes.txt", "kernels/mine.c"}
    for path, content in wanted.files.items():
        assert (folder / path).read_bytes() == content


@pytest.mark.parametrize("name", ["CMakeLists.txt", "kernels/strided.h", "manifest.json"])
def test_a_persons_own_file_is_never_replaced(tmp_path: Path, name: str) -> None:
    mine = tmp_path / name
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("mine")
    with pytest.raises(UsageError, match=f"{name}, which netsuke did not write"):
        artifact(small()).write(tmp_path)
    assert mine.read_text() == "mine"
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [mine]


def test_a_hostile_manifest_makes_nothing_outside_the_folder_disappear(tmp_path: Path) -> None:
    treasure = tmp_path / "treasure"
    treasure.write_text("mine")
    folder = tmp_path / "x"
    folder.mkdir()
    listed = {"../treasure": "", str(treasure): "", "kernels": ""}
    (folder / "manifest.json").write_text(json.dumps({"schema": "netsuke/1", "files": listed}))
    artifact(small()).write(folder)
    assert treasure.read_text() == "mine" and (folder / "model.c").is_file()


def test_a_folder_that_appears_meanwhile_is_filled_all_the_same(
    tmp_path: Path, monkeypatch
) -> None:
    wanted = artifact(small())
    wanted.write(tmp_path / "x")
    exists = Path.exists
    monkeypatch.setattr(Path, "exists", lambda path: path.name != "x" and exists(path))
    wanted.write(tmp_path / "x")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["x"]
