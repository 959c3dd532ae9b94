"""Channels of groups interleaved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import Array, Axes, Kernel, Link, Relayout, Tensor, TensorType
from netsuke.ir.layout import Shape
from netsuke.ops.links import other_axes_links
from netsuke.ops.movement import Movement
from netsuke.ops.relayout import last_axis_stays, same_axes
from netsuke.ops.strided import strided_kernel


@dataclass(frozen=True, slots=True)
class ChannelShuffle(Movement):
    """y[..., i·groups + g] = x[..., g·(c / groups) + i] (ShuffleNet, arXiv:1707.01083).

    Attributes
    ----------
    groups
        Divides the number of channels, the last axis.
    """

    groups: int

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        if not x.shape or self.groups < 1 or x.shape[-1] % self.groups:
            raise GraphError(
                x.name, f"{self.groups} groups do not divide the channels of {list(x.shape)}"
            )
        return (x.type,)

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        (x,) = arrays
        groups = x.reshape(*x.shape[:-1], self.groups, -1)
        return (np.ascontiguousarray(groups.swapaxes(-1, -2)).reshape(x.shape),)

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        channels = inputs[0].shape[-1]
        width = channels // self.groups
        rows = outputs[0].elements // max(channels, 1)
        return (
            strided_kernel(outputs[0], [channels, 1, width], 0, shape=(rows, width, self.groups)),
        )

    def permuted(self, inputs: Sequence[Tensor], axes: Axes) -> Relayout | None:
        return same_axes(self, axes) if last_axis_stays(axes) else None

    def reshaped(self, inputs: Sequence[Tensor], shapes: Sequence[Shape]) -> Relayout | None:
        return Relayout(self) if shapes[0][-1:] == inputs[0].shape[-1:] else None

    def links(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[Link, ...]:
        last = len(inputs[0].shape) - 1
        extent = inputs[0].shape[last]
        each = extent // self.groups
        inner = np.arange(extent)
        outer = inner % each * self.groups + inner // each
        # Every group loses the same channels, or what is shuffled would not line up.
        return (
            Link(("in", 0, last), ("out", 0, last), (inner, outer)),
            Link(("in", 0, last), ("in", 0, last), (inner, inner % each)),
            *other_axes_links(inputs, outputs[0], last),
        )

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        (x,) = values
        groups = x.reshape(*x.shape[:-1], self.groups, -1)
        return (groups.transpose(-1, -2).reshape(x.shape),)
