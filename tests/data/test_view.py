"""Smaller and grey images: exact integers, means kept, the normalization along with them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netsuke.data import Dataset, Normalisation, Part, from_arrays, load_data
from netsuke.data.view import area_overlaps, grey, resized
from netsuke.errors import DataError


def images(stored: np.ndarray, normalisation: Normalisation | None = None) -> Dataset:
    plain = Normalisation("raw", np.ones((), np.float32), np.zeros((), np.float32))
    part = Part(stored, np.arange(len(stored)), np.zeros(len(stored), int), normalisation or plain)
    return Dataset("images", part, part, part, ("a",))


def mean_in_c(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """The same by loops over integers, as a device would do it."""
    rows, columns, channels = image.shape
    out = np.zeros((height, width, channels), np.uint8)
    for j, m, c in np.ndindex(out.shape):
        total = 0
        for i in range(j * rows // height, -(-(j + 1) * rows // height)):
            for k in range(m * columns // width, -(-(m + 1) * columns // width)):
                tall = min((i + 1) * height, (j + 1) * rows) - max(i * height, j * rows)
                wide = min((k + 1) * width, (m + 1) * columns) - max(k * width, m * columns)
                total += tall * wide * int(image[i, k, c])
        out[j, m, c] = (2 * total + rows * columns) // (2 * rows * columns)
    return out


@settings(max_examples=40, deadline=None)
@given(*[st.integers(1, 9)] * 4, st.integers(1, 3), st.integers(0, 99))
def test_resized_bytes_are_those_of_integer_loops(h, w, height, width, channels, seed) -> None:
    stored = np.random.default_rng(seed).integers(0, 256, (3, h, w, channels)).astype(np.uint8)
    small = resized(images(stored), (height, width)).train.stored
    assert small.dtype == np.uint8
    for image, result in zip(stored, small, strict=True):
        np.testing.assert_array_equal(result, mean_in_c(image, height, width))


def test_overlaps_share_out_every_pixel() -> None:
    for size, target in [(7, 3), (3, 7), (8, 4), (5, 5), (1, 6)]:
        shared = area_overlaps(size, target)
        assert (shared.sum(axis=1) == size).all() and (shared.sum(axis=0) == target).all()
    np.testing.assert_array_equal(area_overlaps(5, 5), 5 * np.eye(5))


def test_halves_round_up() -> None:
    stored = np.array([[[[0], [1]], [[1], [0]]], [[[0], [0]], [[0], [1]]]], np.uint8)
    assert resized(images(stored), (1, 1)).train.stored.ravel().tolist() == [1, 0]
    white = np.full((1, 4, 4, 3), 255, np.uint8)
    assert (grey(images(white)).train.stored == 255).all()


def test_grey_is_luma() -> None:
    pure = np.array([[[[255, 0, 0], [0, 255, 0], [0, 0, 255], [10, 20, 30]]]], np.uint8)
    luma = grey(images(pure)).train.stored
    assert luma.shape == (1, 1, 4, 1) and luma.ravel().tolist() == [76, 150, 29, 18]
    every = np.repeat(np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1), 3, axis=3)
    np.testing.assert_array_equal(grey(images(every)).train.stored[..., 0], every[..., 0])


def test_a_normalization_goes_along() -> None:
    scale = np.array([[[0.1, 0.2, 0.3]]], np.float32)
    normal = Normalisation("standard", scale, -scale)
    stored = np.random.default_rng(0).integers(0, 256, (2, 6, 6, 3)).astype(np.uint8)
    data = images(stored, normal)
    small = resized(data, (3, 3))
    assert small.normalisation.name == "standard" and small.shape == (3, 3, 3)
    np.testing.assert_array_equal(small.normalisation.scale, scale)
    plain = grey(data)
    assert plain.shape == (6, 6, 1) and plain.train.samples.dtype == np.float32
    np.testing.assert_allclose(plain.normalisation.scale, [[[0.1815]]], rtol=1e-6)
    by_pixel = Normalisation("standard", np.arange(36.0).reshape(6, 6, 1), np.zeros(()))
    smaller = resized(images(stored, by_pixel), (3, 2)).normalisation.scale
    assert smaller.shape == (3, 2, 1) and smaller[0, 0, 0] == pytest.approx(4.0)


def test_parts_go_on_sharing_their_values_and_reals_stay_real() -> None:
    data = load_data("digits")
    small = resized(data, (4, 4))
    assert small.train.stored is small.test.stored and small.classes == data.classes
    np.testing.assert_array_equal(small.train.labels, data.train.labels)
    flat = small.train.stored.reshape(len(small.train.stored), -1).astype(np.float64).mean(axis=1)
    whole = data.train.stored.reshape(len(flat), -1).astype(np.float64).mean(axis=1)
    assert np.abs(flat - whole).max() < 0.5
    pictures = np.random.default_rng(0).normal(size=(4, 6, 6, 3))
    reals = from_arrays((pictures, [0, 1, 0, 1]), (pictures, None), (pictures, None))
    half = resized(reals, (3, 3)).train.stored
    assert half.dtype == np.float32
    expected = pictures.reshape(4, 3, 2, 3, 2, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(half, expected, atol=1e-6)
    assert resized(reals, (6, 6)) is reals


def test_what_is_no_image_is_refused() -> None:
    rows = from_arrays(
        (np.zeros((2, 5)), [0, 1]), (np.zeros((2, 5)), None), (np.zeros((2, 5)), None)
    )
    with pytest.raises(DataError, match="no images"):
        resized(rows, (2, 2))
    with pytest.raises(DataError, match="colours"):
        grey(load_data("digits"))
    with pytest.raises(DataError, match="at least 1"):
        resized(load_data("digits"), (0, 4))
