"""Light augmentation of images: shifts and mirror images."""

from __future__ import annotations

import numpy as np

from netsuke.ir import Array


def augment(samples: Array, how: str, rng: np.random.Generator) -> Array:
    """Return samples ``(n, h, w, c)`` shifted and, for ``"flip"``, mirrored at random.

    What a shift uncovers repeats the edge, so that no value appears that the data have not.
    Samples of other ranks stay as they are.
    """
    if how == "none" or samples.ndim != 4:
        return samples
    count, height, width = samples.shape[:3]
    reach = (max(1, height // 8), max(1, width // 8))
    down = rng.integers(-reach[0], reach[0] + 1, count)
    right = rng.integers(-reach[1], reach[1] + 1, count)
    rows = np.clip(np.arange(height)[None, :] + down[:, None], 0, height - 1)
    columns = np.clip(np.arange(width)[None, :] + right[:, None], 0, width - 1)
    if how == "flip":
        mirrored = rng.random(count) < 0.5
        columns[mirrored] = columns[mirrored, ::-1]
    index = np.arange(count)[:, None, None]
    moved: Array = samples[index, rows[:, :, None], columns[:, None, :]]
    return moved
