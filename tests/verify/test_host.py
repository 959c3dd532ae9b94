"""Artifacts as shared libraries and under sanitizers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

import numpy as np
import pytest
from verified_models import artifact_of, float_graph, integer_graph, samples, with_invoke

from netsuke.errors import UsageError, VerificationError
from netsuke.ir import Graph, interpret_batch
from netsuke.verify.host import HostLibrary
from netsuke.verify.toolchain import sanitizing_compiler

needs_sanitizers = pytest.mark.skipif(
    sanitizing_compiler() is None, reason="gcc or clang with sanitizers is not installed"
)


@pytest.mark.parametrize("compiler", [None, "zig"])
def test_a_library_equals_numpy_in_every_bit(compiler: str | None) -> None:
    graph = integer_graph()
    arrays = samples(graph, 30)
    (expected,) = interpret_batch(graph, *arrays)
    (got,) = HostLibrary(artifact_of(graph), compiler=compiler).run(*arrays)
    assert len(np.unique(expected)) > 50
    np.testing.assert_array_equal(got, expected)
    assert got.dtype == np.int8


def test_floats_are_close_to_numpy() -> None:
    graph = float_graph()
    arrays = samples(graph, 10)
    (got,) = HostLibrary(artifact_of(graph)).run(*arrays)
    np.testing.assert_allclose(got, interpret_batch(graph, *arrays)[0], rtol=1e-5, atol=1e-5)


def test_samples_that_are_not_contiguous_are_read_in_order() -> None:
    graph = integer_graph()
    (x,) = samples(graph, 8)
    library = HostLibrary(artifact_of(graph))
    np.testing.assert_array_equal(library.run(x[::2])[0], library.run(x)[0][::2])


def test_two_libraries_of_one_artifact_share_no_state() -> None:
    state = with_invoke(
        artifact_of(integer_graph()), "    calls++; model_arena[0] += calls;", "static int calls;"
    )
    (x,) = samples(integer_graph(), 3)
    first, second = HostLibrary(state), HostLibrary(state)
    once = first.run(x)[0]
    np.testing.assert_array_equal(second.run(x)[0], once)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((2, 6, 6, 4), np.int8), "takes int8"),
        (np.zeros((2, 6, 6, 3), np.float32), "float32"),
        (np.zeros((6, 6, 3), np.int8), "takes int8"),
    ],
)
def test_a_wrong_array_is_refused(array: np.ndarray, words: str) -> None:
    library = HostLibrary(artifact_of(integer_graph()))
    with pytest.raises(UsageError, match=words):
        library.run(array)
    with pytest.raises(UsageError, match="1 inputs, 0 given"):
        library.run()


@needs_sanitizers
@pytest.mark.parametrize("graph", [integer_graph(), float_graph()])
def test_generated_code_is_clean_under_sanitizers(graph: Graph) -> None:
    arrays = samples(graph, 5)
    (got,) = HostLibrary(artifact_of(graph), sanitize=True).run(*arrays)
    (plain,) = HostLibrary(artifact_of(graph)).run(*arrays)
    np.testing.assert_array_equal(got, plain)


@needs_sanitizers
@pytest.mark.parametrize(
    ("statements", "words"),
    [
        ("    ((volatile uint8_t *)model_arena)[sizeof model_arena] = 1;", "overflow|space"),
        ("    volatile int32_t big = 2147483647; big = big + model_arena[0] + 256;", "overflow"),
    ],
)
def test_sanitizers_stop_a_misstep(statements: str, words: str) -> None:
    bad = with_invoke(artifact_of(integer_graph()), statements)
    with pytest.raises(VerificationError, match=words):
        HostLibrary(bad, sanitize=True).run(*samples(integer_graph(), 1))


def test_the_compilers_words_reach_the_user() -> None:
    bad = with_invoke(artifact_of(integer_graph()), "    this is no C;")
    with pytest.raises(VerificationError, match=r"model\.c: .*refuses it:\n(.*\n)*.*error"):
        HostLibrary(bad)


def test_a_header_that_disagrees_with_the_graph_does_not_compile() -> None:
    artifact, header = artifact_of(integer_graph()), PurePosixPath("model.h")
    text = artifact.files[header].replace(b"MODEL_INPUT_0_BYTES 108", b"MODEL_INPUT_0_BYTES 104")
    assert text != artifact.files[header]
    bad = replace(artifact, files={**artifact.files, header: text})
    with pytest.raises(VerificationError, match="netsuke_driver"):
        HostLibrary(bad)
