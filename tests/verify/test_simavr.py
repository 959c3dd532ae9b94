"""An AVR, emulated cycle by cycle."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

import netsuke as nk
from netsuke.codegen import Artifact, compile_graph
from netsuke.errors import DoesNotFitError, GraphError, MissingToolError, VerificationError
from netsuke.ir import Graph, GraphBuilder, Quant, interpret_batch
from netsuke.ops import ArgMax, Dense, LinearModel
from netsuke.verify import default_backends, verify
from netsuke.verify.avr import build_avr
from netsuke.verify.linked import link_sizes
from netsuke.verify.project import open_project
from netsuke.verify.simavr import SimavrModel, rig

UNO = nk.device("arduino-uno")


def _missing() -> str:
    if shutil.which("avr-gcc") is None:
        return "avr-gcc"
    try:
        rig()
    except MissingToolError as error:
        return error.tool
    return ""


needs_avr = pytest.mark.skipif(bool(_missing()), reason=f"{_missing()} is missing: no AVR is run")


def linear(units: int, depth: int, mode: str = "class", seed: int = 0) -> Graph:
    rng = np.random.default_rng(seed)
    builder = GraphBuilder("linear")
    x = builder.input("x", (depth,), "int8", Quant((1.0,)))
    weights = builder.constant("w", rng.integers(-127, 128, (units, depth)).astype(np.int8))
    bias = builder.constant("b", rng.integers(-9999, 9999, units).astype(np.int32))
    return builder.build((builder.one(LinearModel(mode), x, weights, bias),))


def rows(graph: Graph, count: int = 12) -> np.ndarray:
    rng = np.random.default_rng(1)
    shape = graph.tensors[graph.inputs[0]].shape
    return rng.integers(-128, 128, (count, *shape)).astype(np.int8)


def with_model(artifact: Artifact, text: str, new: str) -> Artifact:
    """The artifact with something else in its model.c."""
    path = PurePosixPath("model.c")
    source = artifact.files[path].decode()
    assert text in source
    return replace(artifact, files={**artifact.files, path: source.replace(text, new, 1).encode()})


@needs_avr
@pytest.mark.parametrize(("units", "depth"), [(1, 30), (7, 5), (3, 300)])
def test_every_row_is_equal_and_every_cycle_is_counted(units: int, depth: int) -> None:
    graph = linear(units, depth)
    model, x = SimavrModel(compile_graph(graph, UNO)), rows(graph)
    (got,) = model.run(x)
    np.testing.assert_array_equal(got, interpret_batch(graph, x)[0])
    assert len(model.cycles) == len(model.instructions) == len(x)
    # A product takes 14 cycles in 9 instructions, 15 where the count has two bytes.
    products = units * depth
    assert 14 * products < model.cycles[0] < 16 * products + 40 * units + 120
    assert model.instructions[0] < model.cycles[0] < 2 * model.instructions[0]


@needs_avr
def test_the_same_program_takes_the_same_cycles_again() -> None:
    graph = linear(4, 20, "scores")
    model = SimavrModel(compile_graph(graph, UNO))
    x = rows(graph)
    model.run(x)
    first = list(model.cycles)
    model.run(x)
    assert model.cycles == first


@needs_avr
def test_tables_stay_out_of_ram() -> None:
    graph = linear(10, 64)
    image = build_avr(open_project(compile_graph(graph, UNO)))
    assert image.sizes.weights == 10 * 64 + 4 * 10
    assert image.sizes.data == image.sizes.bss == 0
    assert sum(arena.size for arena in image.arenas) == 68
    assert image.sizes.flash == 680 + image.sizes.text + image.sizes.library < 1000


@needs_avr
def test_one_linear_score_takes_less_flash_than_400_bytes() -> None:
    sizes = link_sizes(compile_graph(linear(1, 30), UNO))
    assert sizes.code + sizes.weights <= 280
    assert sizes.arena <= 36


@needs_avr
def test_the_certificate_names_the_emulator_and_its_cycles(tmp_path: Path) -> None:
    folder = compile_graph(linear(2, 9), UNO).write(tmp_path / "build")
    assert default_backends(folder) == ("host", "simavr")
    found = verify(folder, on=default_backends(folder), vectors=9)
    assert found.bit_exact and found.heap == 0
    assert found.cycles == found.backends["simavr"]["cycles"] > 0
    document = found.certificate
    assert document["toolchain"]["emulator (simavr)"].startswith("simavr")
    assert document["toolchain"]["core (simavr)"] == "atmega328p"
    assert "cycles" in document["sources"] and "simavr" in document["fences"]


@needs_avr
def test_a_write_behind_the_variables_is_found() -> None:
    artifact = compile_graph(linear(1, 30), UNO)
    bad = with_model(
        artifact,
        "void model_invoke(void)\n{",
        "void model_invoke(void)\n{\n"
        "    *((volatile uint8_t *)model_arena + sizeof model_arena) = 1;\n",
    )
    with pytest.raises(VerificationError, match="behind its variables"):
        SimavrModel(bad).run(rows(artifact.plan.graph))


@needs_avr
def test_an_inference_that_does_not_end_is_stopped() -> None:
    artifact = compile_graph(linear(1, 30), UNO)
    bad = with_model(
        artifact,
        "void model_invoke(void)\n{",
        'void model_invoke(void)\n{\n    for (;;) __asm__ volatile("nop");\n',
    )
    with pytest.raises(VerificationError, match="too many cycles"):
        SimavrModel(bad, limit=100_000).run(rows(artifact.plan.graph))


@needs_avr
def test_a_wrong_weight_is_a_mismatch() -> None:
    artifact = compile_graph(linear(1, 30, "scores"), UNO)
    path = PurePosixPath("model_data.h")
    text = artifact.files[path].decode()
    start = text.index("{", text.index("node0_in1")) + 1
    bad = text[:start] + " 1 +" + text[start:]
    changed = replace(artifact, files={**artifact.files, path: bad.encode()})
    found = verify(changed, on=("host", "simavr"), vectors=4)
    assert not found.bit_exact and found.mismatch is not None


@needs_avr
def test_a_kernel_without_tables_runs_as_it_is() -> None:
    builder = GraphBuilder("choice")
    x = builder.input("x", (11,), "int8", Quant((1.0,)))
    graph = builder.build((builder.one(ArgMax(), x),))
    assert verify(compile_graph(graph, UNO), on=("simavr",), vectors=9).bit_exact


def test_a_kernel_that_reads_its_tables_from_ram_is_refused() -> None:
    builder = GraphBuilder("float")
    x = builder.input("x", (4,))
    weights = builder.constant("w", np.ones((3, 4), np.float32))
    y = builder.one(Dense(), x, weights, builder.constant("b", np.ones(3, np.float32)))
    with pytest.raises(GraphError, match="program memory"):
        compile_graph(builder.build((y,)), UNO)


def test_what_does_not_fit_is_told_first() -> None:
    builder = GraphBuilder("large")
    x = builder.input("x", (4000,))
    weights = builder.constant("w", np.ones((3, 4000), np.float32))
    y = builder.one(Dense(), x, weights, builder.constant("b", np.ones(3, np.float32)))
    with pytest.raises(DoesNotFitError, match="sram"):
        compile_graph(builder.build((y,)), UNO)


def test_without_the_tools_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys.modules[build_avr.__module__], "find_compiler", lambda name: None)
    with pytest.raises(MissingToolError, match="apt install gcc-avr avr-libc simavr"):
        build_avr(open_project(compile_graph(linear(1, 3), UNO)))
