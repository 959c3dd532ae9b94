"""Broadcasting of one sample's shapes, in NumPy's rule, and its form with a batch axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import Tensor


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
