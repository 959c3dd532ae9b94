"""Samples for calibration come from data sets, archives and arrays, in the graph's own order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from netsuke.compress.quantize.samples import calibration_samples
from netsuke.data import load_data
from netsuke.errors import DataError, UsageError
from netsuke.ir import Graph, GraphBuilder, Port
from netsuke.ops import Clamp, Concat, Reshape

RNG = np.random.default_rng(5)


def two_inputs() -> Graph:
    """An image that the file shows channels first, and a vector."""
    builder = GraphBuilder("two")
    image = builder.input("image", (4, 5, 3))
    builder.ports[image] = Port((1, 2, 0), "float32")
    vector = builder.input("vector", (6,))
    flat = builder.one(Reshape((60,)), image)
    joined = builder.one(Concat(0), flat, vector)
    return builder.build([builder.one(Clamp(0.0, 1.0), joined)])


def one_input(*shape: int) -> Graph:
    builder = GraphBuilder("one")
    return builder.build([builder.one(Clamp(0.0, 1.0), builder.input("x", shape))])


def test_an_archive_holds_one_array_for_each_input(tmp_path: Path) -> None:
    image = RNG.normal(size=(8, 3, 4, 5)).astype(np.float32)
    vector = RNG.normal(size=(8, 6))
    np.savez(tmp_path / "d.npz", vector=vector, image=image)
    first, second = calibration_samples(two_inputs(), tmp_path / "d.npz", 5)
    np.testing.assert_array_equal(first, image[:5].transpose(0, 2, 3, 1))
    np.testing.assert_array_equal(second, vector[:5].astype(np.float32))


def test_several_inputs_ask_for_their_names() -> None:
    with pytest.raises(UsageError, match="keys are their names: image, vector"):
        calibration_samples(two_inputs(), "digits", 5)


def test_an_array_of_another_rank_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", vector=np.zeros((8, 6, 1)), image=np.zeros((8, 3, 4, 5)))
    with pytest.raises(DataError, match=r"'vector'.*takes \(n, 6\)"):
        calibration_samples(two_inputs(), tmp_path / "d.npz", 5)


def test_images_serve_a_network_of_rows() -> None:
    (rows,) = calibration_samples(one_input(64), "digits", 5)
    expected = load_data("digits").train.take(5).samples.reshape(5, 64)
    np.testing.assert_array_equal(rows, expected)


def test_channels_that_stand_first_are_pointed_out(tmp_path: Path) -> None:
    x = RNG.normal(size=(20, 2, 32)).astype(np.float32)
    path = tmp_path / "ecg.npz"
    np.savez(path, x=x, y=np.arange(20) % 2)
    with pytest.raises(DataError, match=r"try '.*ecg\.npz\?layout=nchw'"):
        calibration_samples(one_input(32, 2), path, 5)
    (moved,) = calibration_samples(one_input(32, 2), f"{path}?layout=nchw", 20)
    assert {row.tobytes() for row in moved} <= {row.T.tobytes() for row in x}


def test_arrays_are_taken_as_they_are() -> None:
    given = [RNG.normal(size=(9, 4, 5, 3)), RNG.normal(size=(9, 6))]
    found = calibration_samples(two_inputs(), given, 4)
    np.testing.assert_array_equal(found[1], given[1][:4])
    assert found[0].shape == (4, 4, 5, 3)
    with pytest.raises(UsageError, match="0 samples"):
        calibration_samples(one_input(4), np.zeros((3, 4)), 0)
