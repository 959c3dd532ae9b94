"""Verification end to end: what is proved, what is noticed, what the certificate says."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from verified_models import artifact_of, float_graph, integer_graph, samples, with_invoke

from netsuke.errors import DataError, ModelError, UsageError
from netsuke.ir import GraphBuilder, interpret_batch
from netsuke.ops import Clamp
from netsuke.verify import default_backends, run, verify


def test_a_folder_is_proved_and_gets_its_certificate(tmp_path: Path) -> None:
    folder = artifact_of(integer_graph()).write(tmp_path / "out")
    found = verify(folder, vectors=5, seed=3)
    assert found.bit_exact
    assert (found.samples, found.heap, found.mismatch) == (5, 0, None)
    document = json.loads((folder / "certificate.json").read_text())
    assert document == json.loads(json.dumps(found.certificate))
    assert document["instructions"] == found.instructions
    assert document["seed"] == 3
    assert document["altered"] == []
    for name, value in document["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == value
    assert "CMakeLists.txt" in document["files"]
    assert "unicorn" in document["toolchain"]["emulator (unicorn)"]
    assert str(Path.home()) not in json.dumps(document)


def test_the_same_artifact_gives_the_same_certificate(tmp_path: Path) -> None:
    folder = artifact_of(integer_graph()).write(tmp_path / "out")
    verify(folder, vectors=3)
    first = (folder / "certificate.json").read_bytes()
    verify(folder, vectors=3)
    assert (folder / "certificate.json").read_bytes() == first


def test_a_changed_table_is_found_and_placed() -> None:
    bad = with_invoke(
        artifact_of(integer_graph()), "", "static void spoil(void) { model_arena[0] ^= 1; }"
    )
    last = bad.files[next(p for p in bad.files if p.name == "model.c")].decode().rindex("}")
    path = next(p for p in bad.files if p.name == "model.c")
    text = bad.files[path].decode()
    output = artifact_of(integer_graph()).plan.places["z"].offset
    spoil = text[:last] + f"    model_arena[{output} + 7] ^= 1;\n" + text[last:]
    bad = replace(bad, files={**bad.files, path: spoil.encode()})
    found = verify(bad, vectors=2)
    assert not found.bit_exact
    assert found.mismatch is not None
    assert (found.mismatch.tensor, found.mismatch.sample) == ("z", 0)
    assert found.mismatch.index == (0, 1, 3)
    assert abs(found.mismatch.expected - found.mismatch.got) == 1
    assert found.mismatch.count == 2
    assert "NumPy" in str(found.mismatch)


def test_floats_are_proved_close_to_numpy_and_equal_everywhere() -> None:
    found = verify(artifact_of(float_graph()), vectors=5)
    assert found.bit_exact
    assert 0 < found.float_error < 1e-5
    assert "same bits" in found.certificate["meaning"]["y"]


def test_a_float_that_differs_between_places_is_found() -> None:
    artifact = artifact_of(float_graph())
    place = f"((float *)(model_arena + {artifact.plan.places['x'].offset}))"
    only_there = f"#ifdef __arm__\n    {place}[0] *= 1.00001f;\n#endif"
    found = verify(with_invoke(artifact, only_there), vectors=3)
    assert not found.bit_exact
    assert found.mismatch is not None
    assert (found.mismatch.where, found.mismatch.against) == ("unicorn", "host")


def test_a_file_changed_after_compiling_is_listed(tmp_path: Path) -> None:
    folder = artifact_of(integer_graph()).write(tmp_path / "out")
    (folder / "model.c").write_text((folder / "model.c").read_text() + "\n/* mine */\n")
    found = verify(folder, vectors=1, on=["host"])
    assert found.bit_exact
    assert found.certificate["altered"] == ["model.c"]


def test_a_model_without_inputs_has_one_sample() -> None:
    build = GraphBuilder("fixed")
    x = build.constant("x", np.arange(6, dtype=np.float32))
    found = verify(artifact_of(build.build([build.one(Clamp(low=2.0), x)])))
    assert found.bit_exact
    assert found.samples == 1


def test_given_inputs_are_taken_as_the_model_shows_them() -> None:
    artifact = artifact_of(integer_graph())
    reals = np.random.default_rng(0).normal(size=(4, 3, 6, 6)) * 20
    found = verify(artifact, inputs=[reals], on=["host"])
    assert found.samples == 4
    assert found.certificate["inputs"]["kind"] == "given"
    assert found.instructions is None
    assert found.heap is None


@pytest.mark.parametrize("on", ["host", "unicorn"])
def test_run_gives_what_the_graph_means_in_the_files_layout(on: str) -> None:
    graph = integer_graph()
    (stored,) = samples(graph, 3)
    result = run(artifact_of(graph), on, [stored.transpose(0, 3, 1, 2)])
    (expected,) = interpret_batch(graph, stored)
    np.testing.assert_array_equal(result.outputs[0], expected.transpose(0, 3, 1, 2))
    assert result.samples == 3
    assert (result.instructions is None) == (on == "host")


def test_run_on_reals_gives_reals() -> None:
    result = run(artifact_of(integer_graph()), "host", [np.zeros((1, 3, 6, 6), np.float32)])
    assert result.outputs[0].dtype == np.float32


def test_wrong_calls_say_what_to_try(tmp_path: Path) -> None:
    artifact = artifact_of(integer_graph())
    with pytest.raises(UsageError, match="there are host"):
        verify(artifact, on=["moon"])
    with pytest.raises(UsageError, match="prove nothing"):
        verify(artifact, vectors=0)
    with pytest.raises(UsageError, match="netsuke compile"):
        verify(tmp_path)
    with pytest.raises(UsageError, match="no folder"):
        verify(tmp_path / "missing")
    with pytest.raises(DataError, match="takes"):
        run(artifact, "host", [np.zeros((1, 1), np.int8)])


@pytest.mark.parametrize("name", ["graph.nsk", "manifest.json"])
def test_a_damaged_folder_is_one_clear_error(tmp_path: Path, name: str) -> None:
    folder = artifact_of(integer_graph()).write(tmp_path / "out")
    (folder / name).write_bytes((folder / name).read_bytes()[:60])
    with pytest.raises(ModelError, match=name):
        verify(folder)


def test_the_default_places_follow_the_core() -> None:
    assert default_backends(artifact_of(integer_graph())) == ("host", "unicorn")
    assert default_backends(artifact_of(float_graph(), "rpi-3b")) == ("host", "unicorn")
    assert default_backends(artifact_of(integer_graph(), "esp32-p4")) == ("host", "unicorn")
    assert default_backends(artifact_of(integer_graph(), "esp32-s3-n8r8")) == ("host",)
