"""Small pictures of the test samples on which the two networks differ, for the report."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from netsuke.data import Part
from netsuke.fit.result import Flip
from netsuke.ir import Array
from netsuke.train.files import write_json

FILE = "flips.json"
MOST = 24
"""Pictures that are kept, a third of them of what was gained."""
SIDE = 96
"""Pixels of the longer side."""
LEAST = 4
"""Pixels that a side has at least; less is no image."""


def write_pictures(folder: Path, flips: Sequence[Flip], part: Part) -> None:
    """Write ``flips.json``: PNGs in base64 by index into the test part; no file without images."""
    few = shown(flips)
    samples = [part.stored[part.indices[flip.index]] for flip in few]
    white = max((int(sample.max()) for sample in samples if sample.dtype == np.uint8), default=255)
    found = []
    for flip, sample in zip(few, samples, strict=True):
        png = picture(sample, max(white, 1))
        if png is not None:
            found.append({"index": flip.index, "png": base64.b64encode(png).decode()})
    if found:
        write_json(folder / FILE, {"schema": "netsuke/1", "flips": found})


def shown(flips: Sequence[Flip]) -> list[Flip]:
    """Those that get a picture: mostly what was lost, some of what was gained."""
    lost = [flip for flip in flips if flip.before == flip.label]
    gained = [flip for flip in flips if flip.before != flip.label]
    gained = gained[: max(MOST // 3, MOST - len(lost))]
    return lost[: MOST - len(gained)] + gained


def picture(stored: Array, white: int = 255) -> bytes | None:
    """A PNG of a sample as it is stored: ``(h, w)``, ``(h, w, 1)`` or ``(h, w, 3)``, else None.

    Parameters
    ----------
    stored
        Bytes, black at 0; other numbers are shown from the sample's least (black) to its largest.
    white
        The byte that is white: data sets exist whose largest is 16.
    """
    from PIL import Image

    values = stored[..., None] if stored.ndim == 2 else stored
    if values.ndim != 3 or values.shape[2] not in (1, 3) or min(values.shape[:2]) < LEAST:
        return None
    if values.dtype != np.uint8:
        values = _as_bytes(values, float(values.min()), float(values.max()))
    elif white != 255:
        values = _as_bytes(values, 0.0, float(white))
    grey = values.shape[2] == 1
    image = Image.fromarray(np.ascontiguousarray(values[..., 0] if grey else values))
    image.thumbnail((SIDE, SIDE))
    stream = io.BytesIO()
    image.save(stream, "png")
    return stream.getvalue()


def _as_bytes(values: Array, low: float, high: float) -> Array:
    share = (values.astype(np.float64) - low) / max(high - low, 1e-12)
    scaled: Array = np.rint(255.0 * np.clip(share, 0.0, 1.0)).astype(np.uint8)
    return scaled
