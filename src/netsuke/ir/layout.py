"""Orders of axes and elements, and what an operator becomes when they change."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from netsuke.ir.tensor import Array, Tensor

if TYPE_CHECKING:
    from netsuke.ir.op import Op

Axes: TypeAlias = tuple[int, ...]
"""An order of axes: ``stored = logical.transpose(axes)``."""

Shape: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Relayout:
    """An operator that computes the same values on activations kept in another form.

    Attributes
    ----------
    op
        The operator to use instead.
    inputs, outputs
        One order of axes an input (None for constants) and output.
    constants
        Input number -> the constant to use instead.
    order
        When set, the last axis of the outputs is no transposition but a mixture:
        ``stored[..., i] = logical[..., order[i]]``.
    """

    op: Op
    inputs: tuple[Axes | None, ...] = ()
    outputs: tuple[Axes, ...] = ()
    constants: Mapping[int, Tensor] = field(default_factory=dict)
    order: Array | None = None


def identity(rank: int) -> Axes:
    """The order that changes nothing.

    Examples
    --------
    >>> identity(3)
    (0, 1, 2)
    """
    return tuple(range(rank))


def compose(first: Axes, second: Axes) -> Axes:
    """The order whose transposition is `first`'s followed by `second`'s.

    Examples
    --------
    >>> compose((1, 2, 0), (2, 0, 1))
    (0, 1, 2)
    """
    return tuple(first[axis] for axis in second)


def inverse(axes: Axes) -> Axes:
    """The order that undoes another.

    Examples
    --------
    >>> inverse((1, 2, 0))
    (2, 0, 1)
    """
    return tuple(int(axis) for axis in np.argsort(axes))


def permuted_shape(shape: Shape, axes: Axes) -> Shape:
    """The shape after a transposition."""
    return tuple(shape[axis] for axis in axes)


def memory_order(shape: Shape, axes: Axes) -> Axes:
    """The axes longer than 1 as memory holds them; two orders that agree here are views.

    Examples
    --------
    >>> memory_order((64, 1, 1), (1, 2, 0)) == memory_order((64, 1, 1), (0, 1, 2))
    True
    """
    return tuple(axis for axis in axes if shape[axis] != 1)


def transpose_tensor(tensor: Tensor, axes: Axes) -> Tensor:
    """A constant with its axes in another order, its per-channel scales with them."""
    assert tensor.data is not None
    quant = tensor.quant
    if quant is not None and quant.axis is not None:
        quant = replace(quant, axis=axes.index(quant.axis))
    data = np.ascontiguousarray(tensor.data.transpose(axes))
    data.setflags(write=False)
    return replace(tensor, shape=tuple(data.shape), data=data, quant=quant)


def reorder_tensor(tensor: Tensor, axis: int, order: Array) -> Tensor:
    """A constant whose slices along one axis come in another order, its scales with them."""
    assert tensor.data is not None
    quant = tensor.quant
    if quant is not None and quant.axis == axis and len(quant.scale) > 1:
        quant = replace(
            quant,
            scale=tuple(quant.scale[i] for i in order),
            zero_point=tuple(quant.zero_point[i] for i in order),
        )
    data = np.ascontiguousarray(np.take(tensor.data, order, axis))
    data.setflags(write=False)
    return replace(tensor, data=data, quant=quant)


def broadcast_constant(tensor: Tensor, axes: Axes) -> Tensor | None:
    """A constant operand of a broadcasting operator, for a result with its axes in `axes`.

    A constant of lower rank gets leading extents of 1 first, and loses them again after.
    """
    assert tensor.data is not None
    if tensor.elements == 1:
        return tensor
    missing = len(axes) - len(tensor.shape)
    if missing < 0:
        return None
    quant = tensor.quant
    if quant is not None and quant.axis is not None:
        quant = replace(quant, axis=quant.axis + missing)
    full = replace(
        tensor,
        shape=(1,) * missing + tensor.shape,
        data=tensor.data.reshape((1,) * missing + tensor.shape),
        quant=quant,
    )
    moved = transpose_tensor(full, axes)
    if quant is not None and quant.axis is not None:
        return moved
    kept = next(axis for axis, extent in enumerate(moved.shape) if extent != 1)
    assert moved.data is not None
    return replace(moved, shape=moved.shape[kept:], data=moved.data.reshape(moved.shape[kept:]))


def reshape_axes(source: Shape, target: Shape, axes: Axes) -> tuple[Axes, Array | None] | None:
    """How a reshape's result is ordered when its source is stored as ``source.transpose(axes)``.

    Both shapes are cut into groups of neighbouring axes with equal products. Groups may move
    as wholes. Within the last group, if it also comes last in memory, any order is possible
    but mixes the elements of one axis of the target.

    Returns
    -------
    (axes, order) of the result, or None when no order of axes describes it.
    """
    groups = _groups(source, target)
    if groups is None:
        return None
    where = {axis: index for index, (group, _) in enumerate(groups) for axis in group}
    sequence = memory_order(source, axes)
    runs: list[int] = []
    for axis in sequence:
        if not runs or runs[-1] != where[axis]:
            runs.append(where[axis])
    if len(set(runs)) != len(runs):
        return None
    order = None
    for index in runs:
        inside = [axis for axis in sequence if where[axis] == index]
        if inside == sorted(inside):
            continue
        group, made = groups[index]
        if index != runs[-1] or len(made) != 1 or made[0] != _last_axis(target):
            return None
        extents = tuple(source[axis] for axis in group)
        numbers = np.arange(math.prod(extents)).reshape(extents)
        order = numbers.transpose([group.index(axis) for axis in inside]).ravel()
    moved = [axis for index in runs for axis in groups[index][1]]
    return _with_unit_axes(target, moved), order


def _last_axis(shape: Shape) -> int:
    return len(shape) - 1


def _with_unit_axes(shape: Shape, moved: Sequence[int]) -> Axes:
    """Place the extents of 1 where they disturb least: each before its old successor."""
    if list(moved) == sorted(moved):
        return identity(len(shape))
    result = list(moved)
    for axis in range(len(shape) - 1, -1, -1):
        if shape[axis] == 1:
            at = result.index(axis + 1) if axis + 1 in result else len(result)
            result.insert(at, axis)
    return tuple(result)


def _groups(source: Shape, target: Shape) -> list[tuple[list[int], list[int]]] | None:
    """The smallest groups of axes longer than 1 that have equal products on both sides."""
    left = [axis for axis, extent in enumerate(source) if extent != 1]
    right = [axis for axis, extent in enumerate(target) if extent != 1]
    groups: list[tuple[list[int], list[int]]] = []
    while left and right:
        a, b = [left.pop(0)], [right.pop(0)]
        size_a, size_b = source[a[0]], target[b[0]]
        while size_a != size_b:
            if size_a < size_b and left:
                a.append(left.pop(0))
                size_a *= source[a[-1]]
            elif size_b < size_a and right:
                b.append(right.pop(0))
                size_b *= target[b[-1]]
            else:
                return None
        groups.append((a, b))
    return groups if not left and not right else None
