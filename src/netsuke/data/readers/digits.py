"""The embedded data set: scikit-learn's digits, 1,797 images of 8 × 8 with 17 grey levels."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from netsuke.data.source import Reader, Source
from netsuke.spec import Options


def _accepts(path: Path) -> bool:
    return str(path) == "digits"


def _read(path: Path, options: Options, seed: int) -> Source:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return Source(
        samples=bunch.images.astype(np.uint8)[..., None],
        targets=bunch.target.astype(np.int64),
        part=np.zeros(len(bunch.target), np.int8),
        classes=tuple("0123456789"),
        full=16.0,
    )


DIGITS = Reader("digits", "1,797 handwritten digits, 8 x 8 grey; embedded", {}, _accepts, _read)
