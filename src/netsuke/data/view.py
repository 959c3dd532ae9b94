"""A data set as another camera would show it: smaller, or grey.

Both are defined in integers, so that a device can do the same to its camera's frame and get the
same bytes. With n pixels in and m out along a side, pixel j of the result covers ``[j·n, (j+1)·n)``
and pixel i of the image ``[i·m, (i+1)·m)``, in units of 1 / (n·m) of the side::

    o(i, j) = max(0, min((i+1)·m, (j+1)·n) - max(i·m, j·n))
    resized[j, l] = floor(Σ o(i, j) · o(k, l) · x[i, k] / (n·n') + 1/2)
    grey    = floor((299·r + 587·g + 114·b) / 1000 + 1/2)

The weights of the grey value are those of luma in Recommendation ITU-R BT.601-7, section 2.5.1.
Where an image is both, it is made grey first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from netsuke.data.dataset import CHUNK, Dataset, Normalisation, Part
from netsuke.data.source import check_memory
from netsuke.errors import DataError
from netsuke.ir import Array

LUMA = (299, 587, 114)
"""Thousandths of red, green and blue in the grey value."""
LARGEST_SIDE = 1 << 14
"""Pixels of a side up to which the sums are surely exact in float64."""


def area_overlaps(size: int, target: int) -> Array:
    """o(i, j) as integers, ``(target, size)``; each row sums to `size`.

    Examples
    --------
    >>> area_overlaps(3, 2)
    array([[2, 1, 0],
           [0, 1, 2]])
    """
    i, j = np.arange(size)[None, :], np.arange(target)[:, None]
    shared = np.minimum((i + 1) * target, (j + 1) * size) - np.maximum(i * target, j * size)
    return np.maximum(shared, 0)


def resized(data: Dataset, size: tuple[int, int]) -> Dataset:
    """The data set with images of another size, each pixel the mean of the area that it covers.

    Parameters
    ----------
    data
        Images ``(h, w)`` or ``(h, w, c)``; bytes stay bytes.
    size
        (height, width).

    Raises
    ------
    DataError
        When the samples are no images.
    """
    _check_images(data, "cannot be resized")
    if not all(1 <= side <= LARGEST_SIDE for side in (*size, *data.shape[:2])):
        raise DataError(
            data.name, f"{size[0]} x {size[1]} pixels are asked for, at least 1, at most {1 << 14}"
        )
    if tuple(data.shape[:2]) == tuple(size):
        return data
    rows, columns = (area_overlaps(old, new) for old, new in zip(data.shape, size, strict=False))

    def shrink(images: Array) -> Array:
        flat = images.reshape(*images.shape[:3], -1).astype(np.float64)
        # Sums of integers: exact in float64, whatever the order in which they are added.
        tall = np.moveaxis(np.tensordot(rows.astype(np.float64), flat, (1, 1)), 0, 1)
        sums = np.moveaxis(np.tensordot(columns.astype(np.float64), tall, (1, 2)), 0, 2)
        return sums.reshape(len(images), *size, *images.shape[3:])

    shape = (*size, *data.shape[2:])
    return _viewed(data, shape, shrink, rows[0].sum() * columns[0].sum(), _resized_values)


def grey(data: Dataset) -> Dataset:
    """The data set with the luma of its colours, ``(h, w, 1)``.

    A normalization that treats the channels apart becomes their mean, weighted like the colours.

    Raises
    ------
    DataError
        When the samples have no three colours.
    """
    _check_images(data, "has no colours")
    if len(data.shape) != 3 or data.shape[2] != 3:
        raise DataError(data.name, f"has samples of {list(data.shape)}, no (h, w, 3) colours")
    weights = np.array(LUMA, np.float64)

    def mix(images: Array) -> Array:
        return (images.astype(np.float64) * weights).sum(axis=-1, keepdims=True)

    return _viewed(data, (*data.shape[:2], 1), mix, sum(LUMA), _grey_values)


def _check_images(data: Dataset, trouble: str) -> None:
    if data.features:
        raise DataError(data.name, f"{trouble}: its samples are features of recordings, no images")
    if len(data.shape) not in (2, 3):
        raise DataError(data.name, f"{trouble}: its samples are {list(data.shape)}, no images")


def _viewed(
    data: Dataset,
    shape: tuple[int, ...],
    sums: Callable[[Array], Array],
    total: int,
    values: Callable[[Array, tuple[int, ...]], Array],
) -> Dataset:
    """The data set with ``sums / total`` in place of every stored sample."""
    made: dict[int, Array] = {}
    parts = []
    for part in data.parts.values():
        if id(part.stored) not in made:
            made[id(part.stored)] = _transformed(data.name, part.stored, shape, sums, int(total))
        old = part.normalisation
        scale, offset = (values(np.asarray(v), shape) for v in (old.scale, old.offset))
        normal = Normalisation(old.name, scale, offset)
        parts.append(Part(made[id(part.stored)], part.indices, part.targets, normal))
    return replace(data, train=parts[0], validation=parts[1], test=parts[2])


def _transformed(
    place: str, stored: Array, shape: tuple[int, ...], sums: Callable[[Array], Array], total: int
) -> Array:
    check_memory(place, len(stored) * int(np.prod(shape)) * stored.itemsize)
    out = np.empty((len(stored), *shape), stored.dtype)
    step = max(1, min(CHUNK, (1 << 21) // max(1, stored[0].size if len(stored) else 1)))
    for start in range(0, len(stored), step):
        exact = sums(stored[start : start + step])
        if stored.dtype.kind in "iu":
            # Below 2^53, so that twice the sum and the quotient's floor are exact as integers.
            exact = (2 * exact.astype(np.int64) + total) // (2 * total)
        else:
            exact = exact / total
        out[start : start + step] = exact
    return out


def _resized_values(values: Array, shape: tuple[int, ...]) -> Array:
    """A normalization's numbers for images of another size."""
    for axis in (0, 1):
        place = values.ndim - len(shape) + axis
        if place >= 0 and values.shape[place] not in (1, shape[axis]):
            old = values.shape[place]
            means = area_overlaps(old, shape[axis]).astype(np.float64) / old
            values = np.moveaxis(np.tensordot(means, values, (1, place)), 0, place)
    return values.astype(np.float32)


def _grey_values(values: Array, shape: tuple[int, ...]) -> Array:
    """A normalization's numbers for grey images."""
    if values.ndim and values.shape[-1] == 3:
        weights = np.array(LUMA, np.float64) / sum(LUMA)
        values = (values.astype(np.float64) * weights).sum(axis=-1, keepdims=True)
    return values.astype(np.float32)
