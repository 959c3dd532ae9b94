"""Light augmentation of images: shifts, mirror images, turns by right angles."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from netsuke.ir import Array

AUGMENTATIONS = ("none", "shift", "flip", "rotate")
"""See `Recipe.augment`."""


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """How each of ``n`` images is moved, one element an image.

    Attributes
    ----------
    down, right
        Pixels by which the window is moved.
    mirrored, upended
        Whether left and right, top and bottom are exchanged.
    turned
        Whether rows become columns; together with the two above, the symmetries of the square.
    """

    down: Array
    right: Array
    mirrored: Array
    upended: Array
    turned: Array

    def of(self, positions: Array) -> Moves:
        """The moves of some of the images."""
        return Moves(*(getattr(self, field.name)[positions] for field in fields(self)))


def draw_moves(how: str, shape: tuple[int, ...], count: int, rng: np.random.Generator) -> Moves:
    """Draw moves for images of one shape ``(h, w, c)``; images that are not square never turn.

    The same generator moves images of any size alike: shifts are drawn as shares of the side.
    """
    height, width = shape[:2]
    down = _shifts(height, count, rng)
    right = _shifts(width, count, rng)
    never = np.zeros(count, bool)
    mirrored = rng.random(count) < 0.5 if how in ("flip", "rotate") else never
    upended = rng.random(count) < 0.5 if how == "rotate" else never
    turned = rng.random(count) < 0.5 if how == "rotate" and height == width else never
    return Moves(down, right, mirrored, upended, turned)


def _shifts(side: int, count: int, rng: np.random.Generator) -> Array:
    """Whole pixels, evenly from minus to plus an eighth of a side."""
    reach = max(1, side // 8)
    return np.floor(rng.random(count) * (2 * reach + 1)).astype(np.int64) - reach


def moved(samples: Array, moves: Moves) -> Array:
    """Samples ``(n, h, w, c)`` moved; what a shift uncovers repeats the edge.

    So no value appears that the data have not.
    """
    count, height, width = samples.shape[:3]
    rows = np.clip(np.arange(height)[None, :] + moves.down[:, None], 0, height - 1)
    columns = np.clip(np.arange(width)[None, :] + moves.right[:, None], 0, width - 1)
    columns[moves.mirrored] = columns[moves.mirrored, ::-1]
    rows[moves.upended] = rows[moves.upended, ::-1]
    index = np.arange(count)[:, None, None]
    result: Array = samples[index, rows[:, :, None], columns[:, None, :]]
    if moves.turned.any():
        result[moves.turned] = result[moves.turned].swapaxes(1, 2)
    return result


def augment(samples: Array, how: str, rng: np.random.Generator) -> Array:
    """Return samples ``(n, h, w, c)`` moved at random, as `Recipe.augment` says.

    Samples of other ranks stay as they are.
    """
    if how == "none" or samples.ndim != 4:
        return samples
    return moved(samples, draw_moves(how, samples.shape[1:], len(samples), rng))
