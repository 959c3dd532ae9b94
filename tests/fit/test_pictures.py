"""Pictures of the samples that flipped: images and spectrograms, and nothing else."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from netsuke.data import from_arrays
from netsuke.fit.pictures import MOST, SIDE, picture, shown, write_pictures
from netsuke.fit.result import Flip

RNG = np.random.default_rng(5)


def opened(png: bytes | None) -> Image.Image:
    assert png is not None
    return Image.open(io.BytesIO(png))


def test_bytes_are_shown_as_they_are() -> None:
    grey = RNG.integers(0, 256, (9, 12, 1)).astype(np.uint8)
    assert (np.asarray(opened(picture(grey))) == grey[..., 0]).all()
    colour = RNG.integers(0, 256, (12, 9, 3)).astype(np.uint8)
    assert (np.asarray(opened(picture(colour))) == colour).all()


def test_few_bits_a_pixel_are_shown_from_black_to_white() -> None:
    grey = RNG.integers(0, 17, (8, 8, 1)).astype(np.uint8)
    seen = np.asarray(opened(picture(grey, white=16)))
    assert (seen == np.rint(grey[..., 0] * (255 / 16))).all()


def test_other_numbers_span_black_to_white() -> None:
    seen = np.asarray(opened(picture(RNG.normal(-40, 9, (49, 10)).astype(np.float32))))
    assert seen.shape == (49, 10) and (seen.min(), seen.max()) == (0, 255)
    assert np.asarray(opened(picture(np.full((8, 8, 1), 3.0, np.float32)))).max() == 0


def test_large_images_become_thumbnails() -> None:
    image = opened(picture(np.zeros((300, 150, 3), np.uint8)))
    assert image.size == (SIDE // 2, SIDE)


@pytest.mark.parametrize("shape", [(16,), (8, 8, 2), (8, 8, 8, 1), (2, 8, 1), (1, 640)])
def test_what_is_no_image_has_no_picture(shape: tuple[int, ...], tmp_path: Path) -> None:
    assert picture(np.zeros(shape, np.float32)) is None
    arrays = (np.zeros((2, *shape)), np.array([0, 1]))
    write_pictures(tmp_path, [Flip(1, 0, 0, 1)], from_arrays(arrays, arrays, arrays).test)
    assert not [*tmp_path.iterdir()]


def test_some_of_what_was_gained_is_shown_beside_what_was_lost() -> None:
    lost = [Flip(i, 0, 0, 1) for i in range(50)]
    gained = [Flip(50 + i, 0, 1, 0) for i in range(50)]
    found = shown(lost + gained)
    assert len(found) == MOST and found[:16] == lost[:16] and found[16:] == gained[:8]
    assert shown(lost[:3] + gained) == lost[:3] + gained[: MOST - 3]
    assert shown(lost) == lost[:MOST] and shown([]) == []


def test_a_picture_is_that_of_its_sample(tmp_path: Path) -> None:
    samples = RNG.normal(size=(6, 5, 5, 1))
    arrays = (samples, np.zeros(6, np.int64))
    write_pictures(tmp_path, [Flip(4, 0, 0, 1)], from_arrays(arrays, arrays, arrays).test)
    entry = json.loads((tmp_path / "flips.json").read_text())["flips"][0]
    assert entry["index"] == 4
    seen = np.asarray(opened(base64.b64decode(entry["png"])))
    assert seen.argmax() == samples[4].argmax() and seen.argmin() == samples[4].argmin()
