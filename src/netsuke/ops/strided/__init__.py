"""One kernel for every movement whose reads are regular: transpose, slice, expand, shuffle.

The output is written in order; along each of its axes the read position advances by a fixed,
possibly negative or zero, number of bytes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import ITEMSIZE, Array, Kernel, Tensor

AXES = 8
"""Most axes that the kernel can hold after merging; ``NSK_STRIDED_AXES`` in C."""


def row_strides(shape: Sequence[int]) -> list[int]:
    """Elements between neighbours along each axis of a dense array, last axis fastest."""
    return [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]


def merge_axes(shape: Sequence[int], strides: Sequence[int]) -> tuple[list[int], list[int]]:
    """Drop axes of extent 1 and join neighbours that one stride can walk.

    Examples
    --------
    >>> merge_axes((2, 1, 3, 4), (24, 24, 4, 1))
    ([2, 12], [24, 1])
    """
    extents: list[int] = []
    steps: list[int] = []
    for extent, step in zip(shape, strides, strict=True):
        if extent == 1:
            continue
        if extents and steps[-1] == step * extent:
            extents[-1] *= extent
            steps[-1] = step
        else:
            extents.append(extent)
            steps.append(step)
    return extents, steps


def strided_kernel(
    output: Tensor, strides: Sequence[int], first: int, shape: Sequence[int] | None = None
) -> Kernel:
    """Return the kernel that fills a tensor from regular positions of the one input.

    Parameters
    ----------
    output
        Gives the shape (if `shape` does not) and the element type.
    strides
        Elements to advance in the input for one step along each axis.
    first
        Number of the input element that comes first.
    shape
        Another view of the output's shape with as many elements.
    """
    size = ITEMSIZE[output.dtype]
    extents, steps = merge_axes(output.shape if shape is None else shape, strides)
    block = size
    if extents and steps[-1] == 1:
        block *= extents.pop()
        steps.pop()
    if not extents:
        extents, steps = [1], [0]
    if len(extents) > AXES:
        raise GraphError(output.name, f"moves along {len(extents)} axes, at most {AXES} are served")
    unit = math.gcd(4, block, first * size, *(step * size for step in steps))
    parameters: dict[str, int | float | Array] = {
        "rank": len(extents),
        "unit": unit,
        "run": block // unit,
        "blocks": math.prod(extents),
        "first": first * size,
        "shape": np.array(extents, np.int32),
        "stride": np.array([step * size for step in steps], np.int32),
    }
    moves = 12.0 * math.prod(extents) + 5.0 * math.prod(extents) * (block // unit)
    return Kernel(
        "nsk_strided_any", "strided/strided_any.c", "nsk_strided", parameters, instructions=moves
    )
