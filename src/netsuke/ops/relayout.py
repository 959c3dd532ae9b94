"""How operators that treat all elements alike, or one axis specially, answer to other layouts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from netsuke.ir import Array, Axes, Op, Relayout, Tensor
from netsuke.ir.layout import Shape, broadcast_constant, identity, reorder_tensor

AnyOp = TypeVar("AnyOp", bound=Op)


def same_axes(op: Op, axes: Axes) -> Relayout:
    """One activation in, one out, both in the same order of axes."""
    return Relayout(op, (axes,), (axes,))


def permuted_elementwise(op: Op, inputs: Sequence[Tensor], axes: Axes) -> Relayout | None:
    """An operator that broadcasts its operands: all activations in one order of axes."""
    rank = len(axes)
    ranks = {len(tensor.shape) for tensor in inputs if not tensor.is_constant}
    if ranks != {rank} or max(len(tensor.shape) for tensor in inputs) > rank:
        return None
    constants: dict[int, Tensor] = {}
    for index, tensor in enumerate(inputs):
        if tensor.is_constant:
            moved = broadcast_constant(tensor, axes)
            if moved is None:
                return None
            constants[index] = moved
    orders = tuple(None if tensor.is_constant else axes for tensor in inputs)
    return Relayout(op, orders, (axes,), constants)


def reordered_elementwise(op: Op, inputs: Sequence[Tensor], order: Array) -> Relayout | None:
    """An operator with one activation that broadcasts its constants along the last axis."""
    if sum(not tensor.is_constant for tensor in inputs) != 1:
        return None
    constants = {
        index: reorder_tensor(tensor, len(tensor.shape) - 1, order)
        for index, tensor in enumerate(inputs)
        if tensor.is_constant and tensor.shape and tensor.shape[-1] != 1
    }
    return Relayout(op, constants=constants, order=order)


def reshaped_elementwise(
    op: Op, inputs: Sequence[Tensor], shapes: Sequence[Shape]
) -> Relayout | None:
    """An operator that broadcasts: constants must be scalars or follow the last axis only."""
    activations = [i for i, tensor in enumerate(inputs) if not tensor.is_constant]
    forms = {(inputs[i].shape, tuple(shapes[i])) for i in activations}
    if len(forms) != 1:
        return None
    old, new = forms.pop()
    for tensor in inputs:
        if not tensor.is_constant or tensor.elements == 1:
            continue
        if not old or not new or old[-1] != new[-1] or tensor.shape[-1] != tensor.elements:
            return None
        if len(tensor.shape) > len(new):
            return None
    return Relayout(op)


def permuted_axis(op: Op, axes: Axes, value: int, removed: bool = False) -> Relayout:
    """An operator that treats one axis specially, the one that its field `axis` names.

    With `removed` the axis is missing in the output.
    """
    axis = value % len(axes)
    new = with_fields(op, {"axis": axes.index(axis)})
    return Relayout(new, (axes,), (drop_axes(axes, (axis,)) if removed else axes,))


def drop_axes(axes: Axes, dropped: Sequence[int]) -> Axes:
    """The order of the axes that are left when some vanish."""
    kept = [axis for axis in axes if axis not in dropped]
    rank = {axis: index for index, axis in enumerate(sorted(kept))}
    return tuple(rank[axis] for axis in kept)


def last_axis_stays(axes: Axes) -> bool:
    """Whether the last axis is last in memory, too."""
    return axes[-1:] == identity(len(axes))[-1:]


def by_axis(values: Sequence[object], axes: Axes) -> tuple[object, ...]:
    """One entry an axis, in the order of the stored axes."""
    return tuple(values[axis] for axis in axes)


def permuted_fields(op: Op, axes: Axes, values: Mapping[str, Sequence[object]]) -> Relayout:
    """An operator whose fields have one entry an axis."""
    new = with_fields(op, {name: by_axis(entries, axes) for name, entries in values.items()})
    return Relayout(new, (axes,), (axes,))


def with_fields(op: AnyOp, fields: Mapping[str, object]) -> AnyOp:
    """The operator with other attributes."""
    changed: AnyOp = replace(op, **fields)  # type: ignore[type-var]
    return changed


def channels_of_weights(extent: int, axis: int, rank: int) -> Array:
    """0, 1, 2 ... along one axis of the weights."""
    shape = [1] * rank
    shape[axis] = extent
    return np.arange(extent).reshape(shape)
