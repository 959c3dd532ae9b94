"""Models that take their input element by element."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

import netsuke as nk
from netsuke.codegen import compile_graph
from netsuke.errors import GraphError, UsageError
from netsuke.ir import Graph, GraphBuilder, Quant
from netsuke.ops import ArgMax, LinearModel
from netsuke.verify import verify
from netsuke.verify.toolchain import host_compiler

UNO, PICO = nk.device("arduino-uno"), nk.device("rpi-pico")
needs_avr = pytest.mark.skipif(
    shutil.which("avr-gcc") is None or shutil.which("simavr") is None,
    reason="avr-gcc or simavr is missing: no AVR is run",
)


def linear(units: int, depth: int, mode: str, dtype: str) -> Graph:
    rng = np.random.default_rng(units)
    builder = GraphBuilder("linear")
    scheme = "unsigned" if dtype == "uint8" else "affine"
    quant = Quant((1.0,), bits=16 if dtype == "int16" else 8, scheme=scheme)
    x = builder.input("x", (depth,), dtype, quant)
    weights = builder.constant("w", rng.integers(-12, 13, (units, depth)).astype(np.int8))
    bias = builder.constant("b", rng.integers(-999, 999, units).astype(np.int32))
    return builder.build((builder.one(LinearModel(mode), x, weights, bias),))


CASES = [(1, 256, "class", "int8"), (5, 9, "scores", "uint8"), (3, 20, "class", "int16")]


@pytest.mark.parametrize(("units", "depth", "mode", "dtype"), CASES)
def test_pushing_means_the_same(units: int, depth: int, mode: str, dtype: str) -> None:
    graph = linear(units, depth, mode, dtype)
    for places in (("host", "sanitizers"), ("unicorn",)):
        artifact = compile_graph(graph, PICO, stream=True)
        assert verify(artifact, on=places, vectors=12).bit_exact


@needs_avr
@pytest.mark.parametrize(("units", "depth", "mode", "dtype"), CASES)
def test_pushing_means_the_same_on_an_avr(units: int, depth: int, mode: str, dtype: str) -> None:
    found = verify(
        compile_graph(linear(units, depth, mode, dtype), UNO, stream=True),
        on=("host", "simavr"),
        vectors=12,
    )
    assert found.bit_exact and found.cycles


@needs_avr
def test_no_memory_holds_a_pushed_input() -> None:
    found = verify(
        compile_graph(linear(1, 256, "class", "int8"), UNO, stream=True),
        on=("simavr",),
        vectors=3,
    )
    sizes = found.certificate["sizes"]
    assert found.arena + sizes["data"] + sizes["bss"] + (found.stack or 0) <= 32


def test_the_header_offers_pushing_and_no_input(tmp_path: Path) -> None:
    artifact = compile_graph(linear(2, 9, "class", "int8"), PICO, stream=True, selftest=True)
    header = artifact.files[PurePosixPath("model.h")].decode()
    assert "void model_push(model_input_0_t value);" in header
    assert "model_input(int" not in header and "model_invoke" not in header
    folder = artifact.write(tmp_path / "pushed")
    compiler = host_compiler()
    (tmp_path / "main.c").write_text(
        "int model_selftest(void);\nint main(void) { return model_selftest(); }\n"
    )
    sources = [*folder.rglob("*.c"), tmp_path / "main.c"]
    command = [*compiler.command, "-std=c99", f"-I{folder}", f"-I{folder}/kernels"]
    program = tmp_path / "selftest"
    subprocess.run([*command, *map(str, sources), "-o", str(program)], check=True)
    assert subprocess.run([str(program)], check=False).returncode == 0


def test_what_cannot_be_pushed_is_refused() -> None:
    builder = GraphBuilder("choice")
    x = builder.input("x", (11,), "int8", Quant((1.0,)))
    graph = builder.build((builder.one(ArgMax(), x),))
    with pytest.raises(GraphError, match="element by element"):
        compile_graph(graph, PICO, stream=True)
    builder = GraphBuilder("image")
    x = builder.input("x", (3, 4), "int8", Quant((1.0,)))
    graph = builder.build((builder.one(ArgMax(), x),))
    with pytest.raises(UsageError, match="vector"):
        compile_graph(graph, PICO, stream=True)


def test_an_input_that_two_nodes_read_is_refused() -> None:
    builder = GraphBuilder("twice")
    x = builder.input("x", (4,), "int8", Quant((1.0,)))
    weights = builder.constant("w", np.ones((2, 4), np.int8))
    bias = builder.constant("b", np.ones(2, np.int32))
    first = builder.one(LinearModel("scores"), x, weights, bias)
    graph = builder.build((first, builder.one(LinearModel("class"), x, weights, bias)))
    with pytest.raises(UsageError, match="2 read it"):
        compile_graph(graph, PICO, stream=True)
