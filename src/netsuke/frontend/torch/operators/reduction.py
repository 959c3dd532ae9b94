"""Reductions and softmax."""

from __future__ import annotations

import math

from netsuke.frontend.nchw import pointwise, reduction
from netsuke.frontend.nchw.value import Value
from netsuke.frontend.torch.registry import Call, converts
from netsuke.ops import Neg, ReduceMax, ReduceMean, ReduceSum


def _axes(call: Call) -> tuple[int, ...] | None:
    return call.integers("dim") or None


def _keep(call: Call) -> bool:
    return bool(call.get("keepdim", False))


@converts("mean")
def mean(call: Call) -> Value:
    return reduction.reduce(call.session, ReduceMean, call.x, _axes(call), _keep(call))


@converts("sum")
def sum_(call: Call) -> Value:
    return reduction.reduce(call.session, ReduceSum, call.x, _axes(call), _keep(call))


@converts("amax")
def amax(call: Call) -> Value:
    return reduction.reduce(call.session, ReduceMax, call.x, _axes(call), _keep(call))


@converts("amin")
def amin(call: Call) -> Value:
    upside_down = call.emit(Neg(), call.x)
    lowest = reduction.reduce(call.session, ReduceMax, upside_down, _axes(call), _keep(call))
    return call.emit(Neg(), lowest)


@converts("argmax")
def argmax(call: Call) -> Value:
    x = call.x
    axis = call.get("dim")
    if axis is None:
        whole = call.session.whole(x)
        x, axis = call.session.reshape(whole, (math.prod(whole.shape),), None), 0
    return reduction.arg_max(call.session, x, int(axis), _keep(call))


@converts("softmax", "_softmax")
def softmax(call: Call) -> Value:
    return reduction.softmax(call.session, call.x, int(call["dim"]))


@converts("log_softmax", "_log_softmax")
def log_softmax(call: Call) -> Value:
    return reduction.softmax(call.session, call.x, int(call["dim"]), logarithm=True)


@converts("max")
def max_(call: Call) -> tuple[Value, ...]:
    """Along one axis, or of all; the places are not supported."""
    if "other" in call.arguments:
        return (pointwise.extreme(call.session, [call["self"], call["other"]], largest=True),)
    return (reduction.reduce(call.session, ReduceMax, call.x, _axes(call), _keep(call)),)


@converts("min")
def min_(call: Call) -> tuple[Value, ...]:
    """Along one axis, or of all; the places are not supported."""
    if "other" in call.arguments:
        return (pointwise.extreme(call.session, [call["self"], call["other"]], largest=False),)
    return (amin(call),)
