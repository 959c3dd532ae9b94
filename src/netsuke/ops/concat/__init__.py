"""Tensors one behind the other along an axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import Array, Axes, Kernel, Link, Relayout, Tensor, TensorType, View
from netsuke.ir.layout import Shape, transpose_tensor
from netsuke.ops.links import other_axes_links
from netsuke.ops.movement import Movement, contiguous, leading
from netsuke.ops.relayout import with_fields

INPUTS = 32
"""Most inputs that the C kernels take; ``NSK_CONCAT_INPUTS`` in C."""


@dataclass(frozen=True, slots=True)
class Concat(Movement):
    """y = the inputs, one behind the other along an axis.

    Attributes
    ----------
    axis
        Axis of one sample, not negative.
    """

    axis: int

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        if not inputs:
            raise GraphError("concat", "has no input")
        first = inputs[0]
        if not 0 <= self.axis < len(first.shape):
            raise GraphError(first.name, f"{list(first.shape)} has no axis {self.axis} to concat")
        for tensor in inputs:
            if tensor.dtype != first.dtype or self._around(tensor) != self._around(first):
                raise GraphError(
                    tensor.name,
                    f"concat along axis {self.axis} cannot join {tensor.dtype}{list(tensor.shape)} "
                    f"to {first.dtype}{list(first.shape)}",
                )
        length = sum(tensor.shape[self.axis] for tensor in inputs)
        shape = (*first.shape[: self.axis], length, *first.shape[self.axis + 1 :])
        return (TensorType(shape, first.dtype),)

    def _around(self, tensor: Tensor) -> tuple[int, tuple[int, ...], tuple[int, ...]]:
        shape = tensor.shape
        return len(shape), shape[: self.axis], shape[self.axis + 1 :]

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        return (np.concatenate(arrays, self.axis),)

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        (y,) = outputs
        if len(inputs) > INPUTS:
            raise GraphError(
                y.name,
                f"joins {len(inputs)} tensors, the C kernels at most {INPUTS}; "
                "nest several concats",
            )
        rows = leading(y.shape, self.axis)
        runs = [tensor.size // max(rows, 1) for tensor in inputs]
        return (
            Kernel(
                f"nsk_concat{len(inputs)}_any",
                "concat/concat_any.c",
                "nsk_concat",
                {"rows": rows, "run": np.array(runs, np.int32)},
                instructions=20.0 * rows * len(inputs) + y.size,
            ),
        )

    def views(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[View, ...]:
        if len(inputs) > 1 and not contiguous(outputs[0].shape, self.axis):
            return ()
        views, offset = [], 0
        for number, tensor in enumerate(inputs):
            views.append(View(("in", number), ("out", 0), offset))
            offset += tensor.size
        # Tensors in the arena are 4-byte aligned; kernels rely on it.
        return tuple(views) if all(view.offset % 4 == 0 for view in views) else ()

    def permuted(self, inputs: Sequence[Tensor], axes: Axes) -> Relayout | None:
        op = with_fields(self, {"axis": axes.index(self.axis)})
        constants = {
            number: transpose_tensor(tensor, axes)
            for number, tensor in enumerate(inputs)
            if tensor.is_constant
        }
        orders = tuple(None if tensor.is_constant else axes for tensor in inputs)
        return Relayout(op, orders, (axes,), constants)

    def reshaped(self, inputs: Sequence[Tensor], shapes: Sequence[Shape]) -> Relayout | None:
        last = all(self.axis == len(tensor.shape) - 1 for tensor in inputs)
        if not last or any(tensor.is_constant for tensor in inputs):
            return None
        kept = all(
            shape[-1:] == tensor.shape[-1:] for tensor, shape in zip(inputs, shapes, strict=True)
        )
        if not kept or len({tuple(shape[:-1]) for shape in shapes}) != 1:
            return None
        return Relayout(with_fields(self, {"axis": len(shapes[0]) - 1}))

    def links(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[Link, ...]:
        rank = len(outputs[0].shape)
        links = list(other_axes_links(inputs, outputs[0], self.axis))
        axis, start = self.axis % rank, 0
        for number, tensor in enumerate(inputs):
            inner = np.arange(tensor.shape[axis])
            links.append(Link(("in", number, axis), ("out", 0, axis), (inner, start + inner)))
            start += tensor.shape[axis]
        return tuple(links)

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        batch = next(
            (v.shape[0] for v, t in zip(values, inputs, strict=True) if not t.is_constant), None
        )
        if batch is None:
            return (torch.cat(values, self.axis),)
        rows = [
            value.expand(batch, *value.shape) if tensor.is_constant else value
            for value, tensor in zip(values, inputs, strict=True)
        ]
        return (torch.cat(rows, self.axis + 1),)
