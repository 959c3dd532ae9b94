"""Between which values tensors lie, whatever the inputs are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netsuke.ir.tensor import Array, Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Range:
    """The smallest and the largest value that elements of a tensor can have.

    Attributes
    ----------
    low, high
        Arrays in the tensor's own type that broadcast to its shape; equal where an element is the
        same for every input. A constant has one array for both.
    """

    low: Array
    high: Array

    def of_channels(self, channels: int) -> tuple[Array, Array]:
        """Bounds ``(channels,)`` along the last axis, over all others."""
        axes = tuple(range(self.low.ndim - 1)), tuple(range(self.high.ndim - 1))
        return (
            np.broadcast_to(self.low.min(axis=axes[0]), channels),
            np.broadcast_to(self.high.max(axis=axes[1]), channels),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Addends:
    """What each channel of an input adds to the accumulators, if that is always the same.

    Attributes
    ----------
    fixed
        Whether it is ``(c,)``.
    amounts
        What it then adds to each output channel ``(c, k)``, in the unit of the bias.
    """

    fixed: Array
    amounts: Array


def possible_range(tensor: Tensor) -> Range:
    """Everything that a tensor of its type may hold; of a constant, what it does hold."""
    if tensor.data is not None:
        return Range(tensor.data, tensor.data)
    if tensor.dtype == "float32":
        limit = np.array(np.finfo(np.float32).max)
        return Range(-limit, limit)
    if tensor.dtype == "bool":
        return Range(np.array(False), np.array(True))
    limits = np.iinfo(tensor.dtype)
    return Range(np.array(limits.min, tensor.dtype), np.array(limits.max, tensor.dtype))
