"""Models that take their input some elements at a time."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path, PurePosixPath
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_digits

import netsuke as nk
from netsuke.cli.main import main
from netsuke.codegen import compile_graph
from netsuke.errors import GraphError, ModelError, UsageError
from netsuke.estimators import BonsaiClassifier
from netsuke.ir import Graph, GraphBuilder, Quant, interpret_batch
from netsuke.ops import LinearModel, Projection
from netsuke.verify import verify
from netsuke.verify.host import HostLibrary
from netsuke.verify.project import chunk_of
from netsuke.verify.simavr import SimavrModel
from netsuke.verify.toolchain import host_compiler

UNO, PICO = nk.device("arduino-uno"), nk.device("rpi-pico")
needs_avr = pytest.mark.skipif(
    shutil.which("avr-gcc") is None or shutil.which("simavr") is None,
    reason="avr-gcc or simavr is missing: no AVR is run",
)


def sparse(rows: int, features: int, share: float, **attributes: Any) -> Graph:
    """A projection of small weights, `share` of them not zero, one row and some columns zero."""
    rng = np.random.default_rng(rows * features)
    weights = rng.integers(-8, 8, (rows, features)) * (rng.random((rows, features)) < share)
    weights[0] = 0
    weights[:, : features % 5] = 0
    builder = GraphBuilder("sparse")
    x = builder.input("x", (features,), "int8", Quant((1.0,)))
    w = builder.constant("w", weights.astype(np.int8))
    b = builder.constant("b", rng.integers(-3000, 3000, rows).astype(np.int32))
    return builder.build((builder.one(Projection(**attributes), x, w, b),))


def extremes(features: int) -> np.ndarray:
    """Samples of random bytes, and of the largest and the smallest ones only."""
    rng = np.random.default_rng(features)
    rows = rng.integers(-128, 128, (20, features)).astype(np.int8)
    return np.concatenate([rows, np.full((1, features), -128), np.full((1, features), 127)]).astype(
        np.int8
    )


CASES = [
    (5, 256, 0.15, 24, {"shift": 5}),
    (3, 50, 0.6, 16, {"shift": 3, "dtype": "int16", "low": -32768, "high": 32767}),
    (1, 7, 1.0, 200, {"shift": 2}),
    (2, 300, 0.02, 100, {"shift": 9, "low": 0}),
    (9, 65, 0.5, 2, {"shift": 6}),
    (2, 260, 1.1, 253, {"shift": 11}),
]


@pytest.mark.parametrize(("rows", "features", "share", "chunk", "attributes"), CASES)
def test_chunks_mean_the_same(
    rows: int, features: int, share: float, chunk: int, attributes: dict[str, Any]
) -> None:
    graph = sparse(rows, features, share, **attributes)
    assert verify(
        compile_graph(graph, PICO, stream=chunk), on=("host", "sanitizers", "unicorn"), vectors=8
    ).bit_exact


@needs_avr
@pytest.mark.parametrize(("rows", "features", "share", "chunk", "attributes"), CASES)
def test_chunks_mean_the_same_on_an_avr(
    rows: int, features: int, share: float, chunk: int, attributes: dict[str, Any]
) -> None:
    graph = sparse(rows, features, share, **attributes)
    artifact = compile_graph(graph, UNO, stream=chunk)
    samples = extremes(features)
    (meant,) = interpret_batch(graph, samples)
    np.testing.assert_array_equal(HostLibrary(artifact).run(samples)[0], meant)
    np.testing.assert_array_equal(SimavrModel(artifact).run(samples)[0], meant)


@needs_avr
def test_the_cycles_of_chunks_are_modelled_within_a_twentieth() -> None:
    for rows, features, share, chunk in ((5, 256, 0.15, 24), (4, 256, 0.3, 32), (3, 256, 0.1, 8)):
        artifact = compile_graph(sparse(rows, features, share, shift=5), UNO, stream=chunk)
        emulated = SimavrModel(artifact)
        emulated.run(extremes(features))
        (step,) = artifact.plan.steps
        assert step.kernel is not None
        assert step.kernel.cycles == pytest.approx(np.mean(emulated.cycles), rel=0.05)


@needs_avr
def test_a_chunk_is_cheaper_than_its_elements_and_its_buffer_counts() -> None:
    graph = sparse(4, 256, 0.15, shift=5)
    samples = extremes(256)
    pushed = {}
    for chunk in (1, 24):
        pushed[chunk] = SimavrModel(compile_graph(graph, UNO, stream=chunk))
        pushed[chunk].run(samples)
    assert 2 * max(pushed[24].cycles) < max(pushed[1].cycles)
    sizes, arena = pushed[24].image.sizes, sum(a.size for a in pushed[24].image.arenas)
    assert pushed[24].ram == arena + sizes.data + sizes.bss + (pushed[24].stack or 0) + 24
    assert pushed[24].ram <= 64


def test_the_header_and_the_self_test_push_chunks(tmp_path: Path) -> None:
    artifact = compile_graph(sparse(3, 50, 0.4, shift=4), PICO, stream=16, selftest=True)
    header = artifact.files[PurePosixPath("model.h")].decode()
    assert "#define MODEL_CHUNK 16\n" in header
    assert "void model_push(const model_input_0_t *values);" in header
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


def test_the_command_line_takes_a_chunk_and_the_sketch_gathers_it(tmp_path: Path) -> None:
    rows, labels = load_digits(return_X_y=True)
    estimator = BonsaiClassifier(600, max_iter=30, random_state=0).fit(rows, labels)
    path, out = tmp_path / "bonsai.joblib", tmp_path / "out"
    joblib.dump(estimator, path)
    words = ["compile", str(path), "-d", "arduino-uno", "-o", str(out), "-t", "arduino"]
    assert main([*words, "--trust-pickle", "--chunk", "16"]) == 0
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["stream"] is True and manifest["chunk"] == 16
    sketch = (out / "examples" / "Features" / "Features.ino").read_text()
    assert "values[MODEL_CHUNK];" in sketch and "    model_push(values);\n" in sketch


def test_chunks_that_cannot_be_taken_are_refused() -> None:
    with pytest.raises(GraphError, match="300 elements at a time"):
        compile_graph(sparse(2, 600, 0.2), PICO, stream=300)
    with pytest.raises(UsageError, match="-2 elements"):
        compile_graph(sparse(2, 60, 0.2), PICO, stream=-2)
    builder = GraphBuilder("linear")
    x = builder.input("x", (9,), "int8", Quant((1.0,)))
    weights = builder.constant("w", np.ones((2, 9), np.int8))
    bias = builder.constant("b", np.ones(2, np.int32))
    graph = builder.build((builder.one(LinearModel("scores"), x, weights, bias),))
    with pytest.raises(GraphError, match="3 elements at a time"):
        compile_graph(graph, PICO, stream=3)


@pytest.mark.parametrize("chunk", [0, -1, True, "24", 1 << 16])
def test_a_manifest_with_a_strange_chunk_is_refused(chunk: object) -> None:
    with pytest.raises(ModelError, match="chunk"):
        chunk_of({"chunk": chunk})
