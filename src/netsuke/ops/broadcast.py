"""Broadcasting of one sample's shapes, in NumPy's rule, and its form with a batch axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import Array, Tensor


def broadcast_shape(place: str, *shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The common shape of operands.

    Raises
    ------
    GraphError
        When the shapes do not broadcast.
    """
    try:
        return tuple(int(extent) for extent in np.broadcast_shapes(*shapes))
    except ValueError:
        shown = " and ".join(str(list(shape)) for shape in shapes)
        raise GraphError(place, f"the shapes {shown} do not broadcast") from None


def batched(inputs: Sequence[Tensor], values: Sequence[Any]) -> list[Any]:
    """PyTorch values whose sample axes line up: activations of lower rank get axes of extent 1
    behind their batch axis."""
    rank = max(len(tensor.shape) for tensor in inputs)
    aligned = []
    for tensor, value in zip(inputs, values, strict=True):
        missing = rank - len(tensor.shape)
        if not tensor.is_constant and missing:
            value = value.reshape(value.shape[0], *[1] * missing, *tensor.shape)
        aligned.append(value)
    return aligned


def normal_axis(place: str, axis: int, rank: int) -> int:
    """The axis counted from the front.

    Raises
    ------
    GraphError
        When a tensor of this rank has no such axis.
    """
    if not -rank <= axis < rank:
        raise GraphError(place, f"axis {axis} does not exist in {rank} dimension(s)")
    return axis % rank


def walk(out: tuple[int, ...], *shapes: tuple[int, ...]) -> tuple[list[int], list[list[int]]]:
    """How a kernel walks over operands that broadcast to `out`, in as few axes as possible.

    Neighbouring axes merge where every operand either steps through both or stays on both, so
    that equal shapes and a scalar need one axis, and a vector over the last axis two.

    Returns
    -------
    (extents, steps)
        Extents of the merged axes, and one list of element steps an operand.

    Examples
    --------
    >>> walk((4, 6, 8), (4, 6, 8), (8,))
    ([24, 8], [[8, 1], [0, 1]])
    """
    if 0 in out:
        return [0], [[0] for _ in shapes]
    rows = []
    for shape in shapes:
        steps, step = [], 1
        for extent in reversed((1,) * (len(out) - len(shape)) + shape):
            steps.append(0 if extent == 1 else step)
            step *= extent
        rows.append(steps[::-1])
    merged: list[tuple[int, list[int]]] = []
    for extent, here in zip(out, zip(*rows, strict=True), strict=True):
        if extent == 1:
            continue
        if merged and all(
            before == step * extent for before, step in zip(merged[-1][1], here, strict=True)
        ):
            merged[-1] = (merged[-1][0] * extent, list(here))
        else:
            merged.append((extent, list(here)))
    merged = merged or [(1, [0] * len(shapes))]
    return [extent for extent, _ in merged], [
        [steps[index] for _, steps in merged] for index in range(len(shapes))
    ]


def walk_parameters(
    place: str, out: tuple[int, ...], a: tuple[int, ...], b: tuple[int, ...]
) -> dict[str, int | float | Array]:
    """The fields `rank`, `extent`, `step_a` and `step_b` of a broadcasting kernel.

    Raises
    ------
    GraphError
        When more than six axes remain after merging.
    """
    extents, (step_a, step_b) = walk(out, a, b)
    if len(extents) > 6:
        raise GraphError(place, f"broadcasts over {len(extents)} axes, kernels walk over 6")
    return {
        "rank": len(extents),
        "extent": np.array(extents, np.int32),
        "step_a": np.array(step_a, np.int32),
        "step_b": np.array(step_b, np.int32),
    }


def inplace_operands(out: tuple[int, ...], *shapes: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """Operands that the output may overwrite: those read once, just before it is written."""
    return tuple((index, 0) for index, shape in enumerate(shapes) if shape == out)
