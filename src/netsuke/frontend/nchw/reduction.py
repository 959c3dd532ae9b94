"""Reductions, softmax and normalization along axes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from netsuke.frontend.nchw.movement import reshape
from netsuke.frontend.nchw.pointwise import add, multiply, scalar, subtract
from netsuke.frontend.nchw.session import Session, shown_axis
from netsuke.frontend.nchw.value import CannotImportError, Value
from netsuke.ir import Op
from netsuke.ops import (
    ArgMax,
    BatchNorm,
    LayerNorm,
    LogSoftmax,
    ReduceMean,
    ReduceSum,
    Rsqrt,
    Softmax,
    Square,
)


def reduce(
    session: Session,
    op: Callable[[tuple[int, ...], bool], Op],
    x: Value,
    axes: Sequence[int] | None,
    keepdims: bool,
) -> Value:
    """Reduce along axes, by default along all."""
    shown = sorted({shown_axis(x, axis) for axis in (range(x.rank) if axes is None else axes)})
    if not shown:
        return x
    x = session.free(x, *shown)
    stored = tuple(session.axis(x, axis) for axis in shown)
    batch = x.batch
    if batch is not None and not keepdims:
        batch -= sum(axis < batch for axis in shown)
    return session.emit(op(stored, keepdims), x, batch=batch)


def softmax(session: Session, x: Value, axis: int, logarithm: bool = False) -> Value:
    """Softmax along one axis; our operator gets it as the last one."""
    x = session.free(x, axis)
    stored, last = session.axis(x, axis), len(x.stored) - 1
    if last < 0:
        raise CannotImportError("is applied to a scalar")
    op = LogSoftmax() if logarithm else Softmax()
    if stored == last:
        return session.emit(op, x)
    order = list(range(x.rank))
    behind = x.rank - 1 if x.batch != x.rank - 1 else x.rank - 2
    shown = shown_axis(x, axis)
    order[shown], order[behind] = order[behind], order[shown]
    y = session.emit(op, session.transpose(x, order))
    return session.transpose(y, order)


def softmax_of_rows(session: Session, x: Value, axis: int, logarithm: bool = False) -> Value:
    """Softmax over all axes from `axis` on (ONNX before opset 13)."""
    first = axis + x.rank if axis < 0 else axis
    rows, row = math.prod(x.shape[:first]), math.prod(x.shape[first:])
    if first == x.rank - 1:
        return softmax(session, x, -1, logarithm)
    y = softmax(session, reshape(session, x, (rows, row)), -1, logarithm)
    return reshape(session, y, x.shape)


def arg_max(session: Session, x: Value, axis: int, keepdims: bool, last: bool = False) -> Value:
    """Place of the maximum along an axis."""
    x = session.free(x, axis)
    shown, batch = shown_axis(x, axis), x.batch
    if batch is not None and not keepdims and shown < batch:
        batch -= 1
    return session.emit(ArgMax(session.axis(x, axis), keepdims, last), x, batch=batch)


def batch_norm(session: Session, x: Value, parameters: Sequence[Value], epsilon: float) -> Value:
    """Normalize channels (axis 1) with (scale, offset, mean, variance)."""
    if any(value.data is None for value in parameters):
        raise CannotImportError("scale, offset, mean and variance must be constant")
    x = session.free(x, 1)
    variance = parameters[3].data
    if variance is not None and float(np.min(variance, initial=0.0)) + epsilon <= 0.0:
        raise CannotImportError("a variance is negative")
    op = BatchNorm(epsilon)
    vectors = [session.reshape(value, (x.shape[1],), None) for value in parameters]
    if session.axis(x, 1) == len(x.stored) - 1:
        return session.emit(op, x, *vectors)
    order = [axis for axis in range(x.rank) if axis != 1] + [1]
    y = session.emit(op, session.transpose(x, order), *vectors)
    return session.transpose(y, np.argsort(order).tolist())


def layer_norm(
    session: Session, x: Value, scale: Value | None, offset: Value | None, axis: int, epsilon: float
) -> Value:
    """Normalize over the axes `axis` and behind."""
    first = shown_axis(x, axis)
    x = session.free(x, *range(first, x.rank))
    inner = x.shape[first:]
    label = session.next_label
    scale = scale or session.constant(f"{label}.scale", np.ones(inner, np.float32))
    offset = offset or session.constant(f"{label}.offset", np.zeros(inner, np.float32))
    if scale.data is None or offset.data is None:
        plain = layer_norm(session, x, None, None, axis, epsilon)
        return add(session, multiply(session, plain, scale), offset)
    vectors = [
        session.constant(value.label, np.broadcast_to(value.data, inner))
        for value in (scale, offset)
        if value.data is not None
    ]
    return session.emit(LayerNorm(session.axis(x, first), epsilon), x, *vectors)


def moments(
    session: Session, x: Value, axes: Sequence[int], epsilon: float
) -> tuple[Value, Value, Value]:
    """(x - mean, mean, 1 / √(variance + epsilon)) along axes, which stay."""
    average = reduce(session, ReduceMean, x, axes, True)
    centred = subtract(session, x, average)
    variance = reduce(session, ReduceMean, session.emit(Square(), centred), axes, True)
    inverse = session.emit(Rsqrt(), add(session, variance, scalar(session, epsilon)))
    return centred, average, inverse


def group_norm(
    session: Session,
    x: Value,
    groups: int,
    scale: Value | None,
    offset: Value | None,
    epsilon: float,
) -> Value:
    """Normalize each group of channels of each sample, then scale and shift the channels."""
    x = session.hide(x)
    n, channels, *image = x.shape
    if groups < 1 or channels % groups:
        raise CannotImportError(f"{groups} groups do not divide {channels} channels")
    parts = session.reshape(x, (n, groups, channels // groups * math.prod(image)), 0)
    centred, _, inverse = moments(session, parts, [2], epsilon)
    y = session.reshape(multiply(session, centred, inverse), x.shape, 0)
    column = (channels, *[1] * len(image))
    for vector, function in ((scale, multiply), (offset, add)):
        if vector is not None:
            y = function(session, y, session.reshape(vector, column, None))
    return y


def sum_of_squares(session: Session, x: Value, axes: Sequence[int] | None, keep: bool) -> Value:
    """Σ x² along axes."""
    return reduce(session, ReduceSum, session.emit(Square(), x), axes, keep)
