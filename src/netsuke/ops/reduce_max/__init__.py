"""The maximum over axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.ir import Array, Tensor
from netsuke.ops.reduction import Reduction


@dataclass(frozen=True, slots=True)
class ReduceMax(Reduction):
    """y = max of x over the axes.

    Attributes
    ----------
    axes
        Axes of one sample.
    keepdims
        Reduced axes stay, with extent 1.
    """

    axes: tuple[int, ...]
    keepdims: bool = False

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        (x,) = arrays
        return (np.max(x, axis=self.axes, keepdims=self.keepdims),)

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        axes = self.batch_axes(inputs[0])
        if not axes:
            return (values[0],)
        return (torch.amax(values[0], axes, keepdim=self.keepdims),)
