"""The embedded data set: scikit-learn's digits, 1,797 images of 8 × 8 with 17 grey levels."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from netsuke.data.source import Reader, Source
from netsuke.ir import Array
from netsuke.spec import Options


def _accepts(path: Path) -> bool:
    return str(path) == "digits"


def _read(path: Path, options: Options, seed: int) -> Source:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = bunch.images.astype(np.uint8)
    size = options.integer("size", images.shape[1], 4, 256)
    if size != images.shape[1]:
        images = np.stack([_resize(image, size) for image in images])
    return Source(
        samples=images[..., None],
        targets=bunch.target.astype(np.int64),
        part=np.zeros(len(bunch.target), np.int8),
        classes=tuple("0123456789"),
        full=16.0,
    )


def _resize(image: Array, size: int) -> Array:
    """Bilinear, half-pixel centres, rounded to the 17 grey levels."""
    from PIL import Image

    pixels = Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(pixels, np.uint8)


DIGITS = Reader(
    "digits",
    "1,797 handwritten digits, 8 x 8 grey; embedded",
    {"size": "pixels of the sides (8); larger images are interpolated"},
    _accepts,
    _read,
)
