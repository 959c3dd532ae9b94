"""The main job in Python, as the README shows it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import netsuke as nk

BOARD = "nucleo-f446re"


@pytest.fixture(scope="module")
def trained() -> nk.Graph:
    return nk.train("lenet?size=8&width=0.5", "digits", epochs=8, lr=5e-3, threads=1)


def test_a_model_goes_from_training_to_a_proof(trained: nk.Graph, tmp_path: Path) -> None:
    board = nk.device(BOARD)
    assert nk.check(trained, board).fits
    artifact = nk.compile(trained, board, "digits", out=tmp_path / "fw")
    assert nk.verify(artifact).bit_exact
    assert nk.verify(tmp_path / "fw", on="host", vectors=5).samples == 5
    test = nk.data("digits").test
    (scores,) = nk.run(tmp_path / "fw", test.samples)
    assert scores.dtype == np.float32
    assert np.mean(scores.argmax(1) == test.labels) > 0.8
    assert nk.report(tmp_path / "fw", tmp_path / "page.html").stat().st_size > 5000


def test_quantizing_takes_arrays_too(trained: nk.Graph) -> None:
    samples = nk.data("digits").train.take(64).samples
    integer = nk.quantize(trained, samples)
    assert all(integer.tensors[name].dtype == "int8" for name in integer.outputs)
    assert nk.quantize(trained, samples).fingerprint() == integer.fingerprint()


def test_data_of_another_size_is_refused_with_what_to_try(trained: nk.Graph) -> None:
    with pytest.raises(nk.NetsukeError, match=r"digits\?size=8"):
        nk.quantize(trained, "digits?size=16")


def test_public_functions_are_functions_even_beside_rooms_of_their_name() -> None:
    import netsuke.data
    import netsuke.fit
    import netsuke.report
    import netsuke.train
    import netsuke.verify  # noqa: F401

    for name in ("data", "fit", "report", "train", "verify"):
        assert callable(getattr(nk, name)), name


def test_every_public_name_exists() -> None:
    assert [name for name in nk.__all__ if not hasattr(nk, name)] == []
