"""Layer, group and instance normalization, variances and norms."""

from __future__ import annotations

import math

from netsuke.frontend.nchw import pointwise, reduction
from netsuke.frontend.nchw.value import CannotImportError, Value
from netsuke.frontend.torch.registry import Call, converts
from netsuke.ops import Abs, ReduceMean, ReduceSum, Sqrt, Square


@converts("layer_norm", "native_layer_norm")
def layer_norm(call: Call) -> tuple[Value, ...]:
    axis = -len(call.integers("normalized_shape"))
    scale, offset, epsilon = call.get("weight"), call.get("bias"), float(call["eps"])
    return (reduction.layer_norm(call.session, call.x, scale, offset, axis, epsilon),)


def _grouped(call: Call, groups: int) -> Value:
    scale, offset, epsilon = call.get("weight"), call.get("bias"), float(call["eps"])
    return reduction.group_norm(call.session, call.x, groups, scale, offset, epsilon)


@converts("group_norm", "native_group_norm")
def group_norm(call: Call) -> tuple[Value, ...]:
    groups = call.get("num_groups") or call["group"]
    return (_grouped(call, int(groups)),)


@converts("instance_norm", "_native_batch_norm_legit")
def instance_norm(call: Call) -> tuple[Value, ...]:
    """Without running statistics; what `F.instance_norm` decomposes to has the batch in axis 1."""
    x = call.x
    if call.get("running_mean") is not None:
        raise CannotImportError("has running statistics")
    if not call.get("training", call.get("use_input_stats", True)):
        raise CannotImportError("uses running statistics")
    if "use_input_stats" in call.arguments or call.get("weight") is None:
        return (_grouped(call, x.shape[1]),)
    raise CannotImportError("normalizes over a batch")


def _variance(call: Call) -> Value:
    s, x = call.session, call.x
    axes = call.integers("dim") or tuple(range(x.rank))
    count = math.prod(x.shape[axis] for axis in axes)
    correction = call.get("correction", 1)
    if "unbiased" in call.arguments:
        correction = 1 if call["unbiased"] else 0
    average = reduction.reduce(s, ReduceMean, x, axes, True)
    squares = call.emit(Square(), pointwise.subtract(s, x, average))
    y = reduction.reduce(s, ReduceMean, squares, axes, bool(call.get("keepdim", False)))
    if count <= correction:
        raise CannotImportError(f"is the variance of {count} elements")
    factor = count / (count - correction)
    return y if factor == 1.0 else pointwise.multiply(s, y, pointwise.scalar(s, factor))


@converts("var")
def variance(call: Call) -> Value:
    return _variance(call)


@converts("std")
def deviation(call: Call) -> Value:
    return call.emit(Sqrt(), _variance(call))


@converts("linalg_vector_norm")
def vector_norm(call: Call) -> Value:
    s, axes, keep = call.session, call.integers("dim") or None, bool(call.get("keepdim", False))
    match float(call.get("ord", 2)):
        case 2.0:
            return call.emit(Sqrt(), reduction.sum_of_squares(s, call.x, axes, keep))
        case 1.0:
            return reduction.reduce(s, ReduceSum, call.emit(Abs(), call.x), axes, keep)
        case order:
            raise CannotImportError(f"is a norm of order {order:g}")
