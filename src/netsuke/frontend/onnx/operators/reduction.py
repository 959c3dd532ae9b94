"""Reductions, softmax and normalization."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from netsuke.frontend.nchw import reduction
from netsuke.frontend.nchw.pointwise import add, multiply
from netsuke.frontend.nchw.value import CannotImportError, Value
from netsuke.frontend.onnx.registry import Call, converts
from netsuke.ir import Op
from netsuke.ops import Abs, Exp, Log, Neg, ReduceMax, ReduceMean, ReduceSum, Sqrt, Square

_Reduction = Callable[[tuple[int, ...], bool], Op]


def _reduce(call: Call, op: _Reduction, x: Value) -> Value:
    axes = call.list_of("axes", 1)
    if not axes:
        if call.flag("noop_with_empty_axes"):
            return x
        axes = None
    return reduction.reduce(call.session, op, x, axes, call.flag("keepdims", True))


@converts("ReduceMean")
def reduce_mean(call: Call) -> Value:
    return _reduce(call, ReduceMean, call[0])


@converts("ReduceSum")
def reduce_sum(call: Call) -> Value:
    return _reduce(call, ReduceSum, call[0])


@converts("ReduceMax")
def reduce_max(call: Call) -> Value:
    return _reduce(call, ReduceMax, call[0])


@converts("ReduceMin")
def reduce_min(call: Call) -> Value:
    return call.emit(Neg(), _reduce(call, ReduceMax, call.emit(Neg(), call[0])))


@converts("ReduceL1")
def reduce_l1(call: Call) -> Value:
    return _reduce(call, ReduceSum, call.emit(Abs(), call[0]))


@converts("ReduceSumSquare")
def reduce_sum_square(call: Call) -> Value:
    return _reduce(call, ReduceSum, call.emit(Square(), call[0]))


@converts("ReduceL2")
def reduce_l2(call: Call) -> Value:
    return call.emit(Sqrt(), reduce_sum_square(call))


@converts("ReduceLogSum")
def reduce_log_sum(call: Call) -> Value:
    return call.emit(Log(), _reduce(call, ReduceSum, call[0]))


@converts("ReduceLogSumExp")
def reduce_log_sum_exp(call: Call) -> Value:
    return call.emit(Log(), _reduce(call, ReduceSum, call.emit(Exp(), call[0])))


@converts("ArgMax")
def arg_max(call: Call) -> Value:
    return _arg_max(call, call[0])


@converts("ArgMin")
def arg_min(call: Call) -> Value:
    return _arg_max(call, call.emit(Neg(), call[0]))


def _arg_max(call: Call, x: Value) -> Value:
    axis, keepdims = call.integer("axis", 0), call.flag("keepdims", True)
    return reduction.arg_max(call.session, x, axis, keepdims, call.flag("select_last_index"))


@converts("Softmax")
def softmax(call: Call) -> Value:
    return _softmax(call, logarithm=False)


@converts("LogSoftmax")
def log_softmax(call: Call) -> Value:
    return _softmax(call, logarithm=True)


def _softmax(call: Call, logarithm: bool) -> Value:
    if call.opset >= 13:
        return reduction.softmax(call.session, call[0], call.integer("axis", -1), logarithm)
    return reduction.softmax_of_rows(call.session, call[0], call.integer("axis", 1), logarithm)


@converts("BatchNormalization")
def batch_norm(call: Call) -> Value:
    if call.flag("training_mode"):
        raise CannotImportError("is in training mode")
    for index, name in ((1, "running_mean"), (2, "running_var"), (3, "saved_mean")):
        call.refuse_output(index, name)
    parameters = [call[index] for index in range(1, 5)]
    return reduction.batch_norm(call.session, call[0], parameters, call.real("epsilon", 1e-5))


@converts("LayerNormalization")
def layer_norm(call: Call) -> tuple[Value, ...]:
    x, axis, epsilon = call[0], call.integer("axis", -1), call.real("epsilon", 1e-5)
    if not (call.wants(1) or call.wants(2)):
        return (reduction.layer_norm(call.session, x, call[1], call.optional(2), axis, epsilon),)
    axes = range(axis % x.rank, x.rank)
    centred, mean, inverse = reduction.moments(call.session, x, axes, epsilon)
    y = multiply(call.session, multiply(call.session, centred, inverse), call[1])
    if call.optional(2) is not None:
        y = add(call.session, y, call[2])
    return (y, mean, inverse)


@converts("InstanceNormalization")
def instance_norm(call: Call) -> Value:
    """Normalize the image of each channel by itself."""
    s, x = call.session, call[0]
    axes = range(2, x.rank)
    centred, _, inverse = reduction.moments(s, x, axes, call.real("epsilon", 1e-5))
    column = (x.shape[1], *[1] * (x.rank - 2))
    scale, offset = (s.reshape(call[index], column, None) for index in (1, 2))
    return add(s, multiply(s, multiply(s, centred, inverse), scale), offset)


@converts("GroupNormalization")
def group_norm(call: Call) -> Value:
    """One scale and offset a channel; a group, before opset 21."""
    s, x, groups = call.session, call[0], call.integer("num_groups", 0)
    scale, offset = call[1], call[2]
    if call.opset < 21:
        scale, offset = (_each_channel(call, vector, x.shape[1]) for vector in (scale, offset))
    return reduction.group_norm(s, x, groups, scale, offset, call.real("epsilon", 1e-5))


def _each_channel(call: Call, vector: Value, channels: int) -> Value:
    if vector.data is None or vector.data.ndim != 1 or channels % max(vector.data.size, 1):
        raise CannotImportError(f"needs a constant number for each group, not {vector.shape}")
    return call.session.constant(
        vector.label, np.repeat(vector.data, channels // max(vector.data.size, 1))
    )
