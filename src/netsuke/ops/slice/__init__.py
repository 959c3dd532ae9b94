"""Every so-manieth element along each axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import ITEMSIZE, Array, Axes, Kernel, Link, Op, Relayout, Tensor, TensorType, View
from netsuke.ops.movement import Movement
from netsuke.ops.relayout import permuted_fields
from netsuke.ops.strided import row_strides, strided_kernel


@dataclass(frozen=True, slots=True)
class Slice(Movement):
    """y[i, j, ...] = x[start0 + i·step0, start1 + j·step1, ...].

    Attributes
    ----------
    ranges
        (start, count, step) of each axis, normalised: every index lies inside the axis. Steps may
        be negative.
    """

    ranges: tuple[tuple[int, int, int], ...]

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        if len(self.ranges) != len(x.shape):
            raise GraphError(
                x.name, f"slice has {len(self.ranges)} ranges for the shape {list(x.shape)}"
            )
        for axis, ((start, count, step), extent) in enumerate(
            zip(self.ranges, x.shape, strict=True)
        ):
            ends = (start, start + (count - 1) * step) if count > 0 else ()
            if count < 0 or step == 0 or not all(0 <= end < extent for end in ends):
                raise GraphError(
                    x.name,
                    f"slice takes {count} elements from {start} in steps of {step} along axis "
                    f"{axis}, which has {extent}",
                )
        return (TensorType(tuple(count for _, count, _ in self.ranges), x.dtype),)

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        (x,) = arrays
        picks = [start + step * np.arange(count) for start, count, step in self.ranges]
        return (x[np.ix_(*picks)] if picks else x,)

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        strides = row_strides(inputs[0].shape)
        steps = [stride * r[2] for stride, r in zip(strides, self.ranges, strict=True)]
        kernel = strided_kernel(outputs[0], steps, self._first(inputs[0]))
        # No element moves up and the first moves first, so it may write over what it has read.
        rising = all(step > 0 for _, count, step in self.ranges if count > 1)
        return (replace(kernel, inplace=((0, 0),)) if rising else kernel,)

    def _first(self, x: Tensor) -> int:
        """Number of the first element that is taken."""
        return sum(
            stride * r[0] for stride, r in zip(row_strides(x.shape), self.ranges, strict=True)
        )

    def views(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[View, ...]:
        (x,), (y,) = inputs, outputs
        offset = self._first(x) * ITEMSIZE[x.dtype]
        single = True  # every axis so far has one element
        for (_, count, step), extent in zip(self.ranges, x.shape, strict=True):
            if count != extent and not single:
                return ()
            if count > 1 and step != 1:
                return ()
            single = single and count == 1
        # Tensors in the arena are 4-byte aligned; kernels rely on it.
        if y.elements == 0 or offset % 4:
            return ()
        return (View(("out", 0), ("in", 0), offset),)

    def permuted(self, inputs: Sequence[Tensor], axes: Axes) -> Relayout | None:
        return permuted_fields(self, axes, {"ranges": self.ranges})

    def resized(self, before: Sequence[Tensor], after: Sequence[Tensor]) -> Op:
        ranges = []
        for axis, (start, count, step) in enumerate(self.ranges):
            old, new = before[0].shape[axis], after[0].shape[axis]
            if old != new and step == 1:
                count += new - old  # as far from both ends as before
            elif old != new:
                reaches_end = step > 1 and start + count * step >= old
                count = -(-(new - start) // step) if reaches_end else 0
            if old != new and (count < 1 or step < 1):
                raise GraphError(before[0].name, f"a slice of {old} says nothing about {new}")
            ranges.append((start, count, step))
        return replace(self, ranges=tuple(ranges))

    def links(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[Link, ...]:
        links: list[Link] = []
        for axis, (extent, (start, count, step)) in enumerate(
            zip(inputs[0].shape, self.ranges, strict=True)
        ):
            # A piece at an end: `cut` can tell from the shapes where it begins then.
            if step == 1 and (start == 0 or start + count == extent):
                taken = np.arange(count)
                unread = np.setdiff1d(np.arange(extent), start + taken)
                links.append(Link(("in", 0, axis), ("out", 0, axis), (start + taken, taken)))
                links.append(Link(("in", 0, axis), ("in", 0, axis), (unread, unread)))
        return tuple(links)

    def cut(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Op:
        ranges = []
        for (start, count, step), inner, outer in zip(
            self.ranges, inputs[0].shape, outputs[0].shape, strict=True
        ):
            at_end = step == 1 and start > 0 and start + count >= inner
            ranges.append((inner - outer if at_end else start, outer, step))
        return replace(self, ranges=tuple(ranges))

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        (x,) = values
        for axis, (start, count, step) in enumerate(self.ranges):
            picks = torch.arange(count, device=x.device) * step + start
            x = x.index_select(axis if inputs[0].is_constant else axis + 1, picks)
        return (x,)
