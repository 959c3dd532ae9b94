"""Elementwise arithmetic and activations."""

from __future__ import annotations

import math
from collections.abc import Callable

from netsuke.frontend.nchw import pointwise
from netsuke.frontend.nchw.session import Session
from netsuke.frontend.nchw.value import CannotImportError, Value
from netsuke.frontend.torch.registry import Call, Converter, converts
from netsuke.ir import Op
from netsuke.ops import (
    Abs,
    Exp,
    Gelu,
    HardSigmoid,
    HardSwish,
    LeakyRelu,
    Log,
    Mul,
    Neg,
    Rsqrt,
    Sigmoid,
    Sqrt,
    Square,
    Tanh,
)


def _unary(op: Op) -> Converter:
    return lambda call: call.emit(op, call.x)


for _name, _op in (
    ("abs", Abs()),
    ("exp", Exp()),
    ("hardsigmoid", HardSigmoid(1 / 6, 0.5)),
    ("hardswish", HardSwish()),
    ("log", Log()),
    ("neg", Neg()),
    ("rsqrt", Rsqrt()),
    ("sigmoid", Sigmoid()),
    ("sqrt", Sqrt()),
    ("square", Square()),
    ("tanh", Tanh()),
):
    converts(_name)(_unary(_op))


def _binary(function: Callable[[Session, Value, Value], Value], swap: bool = False) -> Converter:
    """a op alpha · b; `swap` exchanges a and b."""

    def convert(call: Call) -> Value:
        a, b = call.operand("self"), call.operand("other")
        alpha = float(call.get("alpha", 1))
        if alpha != 1.0:
            scale = pointwise.scalar(call.session, alpha)
            if swap:
                a = pointwise.multiply(call.session, a, scale)
            else:
                b = pointwise.multiply(call.session, b, scale)
        return function(call.session, b, a) if swap else function(call.session, a, b)

    return convert


converts("add", "add_")(_binary(pointwise.add))
converts("sub", "sub_", "subtract")(_binary(pointwise.subtract))
converts("rsub")(_binary(pointwise.subtract, swap=True))
converts("mul", "mul_", "multiply")(_binary(pointwise.multiply))


@converts("div", "div_", "divide", "true_divide")
def div(call: Call) -> Value:
    if call.get("rounding_mode") is not None:
        raise CannotImportError("divides to whole numbers")
    return pointwise.divide(call.session, call.operand("self"), call.operand("other"))


@converts("maximum")
def maximum(call: Call) -> Value:
    return pointwise.extreme(call.session, [call["self"], call["other"]], largest=True)


@converts("minimum")
def minimum(call: Call) -> Value:
    return pointwise.extreme(call.session, [call["self"], call["other"]], largest=False)


@converts("pow")
def power(call: Call) -> Value:
    exponent = call["exponent"]
    if not isinstance(exponent, Value):
        exponent = call.session.constant("exponent", float(exponent))
    return pointwise.power(call.session, call.operand("self"), exponent)


@converts("reciprocal")
def reciprocal(call: Call) -> Value:
    return pointwise.reciprocal(call.session, call.x)


def _clamp(call: Call, low: float, high: float) -> Value:
    return pointwise.clamp(call.session, call.x, low, high)


@converts("relu", "relu_")
def relu(call: Call) -> Value:
    return _clamp(call, 0.0, math.inf)


@converts("relu6", "relu6_")
def relu6(call: Call) -> Value:
    return _clamp(call, 0.0, 6.0)


@converts("hardtanh", "hardtanh_")
def hardtanh(call: Call) -> Value:
    return _clamp(call, float(call["min_val"]), float(call["max_val"]))


@converts("clamp", "clip", "clamp_min", "clamp_max")
def clamp(call: Call) -> Value:
    low, high = call.get("min", -math.inf), call.get("max", math.inf)
    if isinstance(low, Value) or isinstance(high, Value):
        raise CannotImportError("has tensors as bounds")
    return _clamp(call, float(low), float(high))


@converts("leaky_relu", "leaky_relu_")
def leaky_relu(call: Call) -> Value:
    return call.emit(LeakyRelu(float(call["negative_slope"])), call.x)


@converts("prelu", "_prelu_kernel")
def prelu(call: Call) -> Value:
    """One slope a channel, which is axis 1."""
    slope, x = call["weight"], call.x
    if slope.rank == 1 and x.rank > 1:
        slope = call.session.reshape(slope, (slope.shape[0], *[1] * (x.rank - 2)), None)
    return pointwise.prelu(call.session, x, slope)


@converts("gelu")
def gelu(call: Call) -> Value:
    return call.emit(Gelu(call.get("approximate", "none") == "tanh"), call.x)


@converts("silu", "silu_")
def silu(call: Call) -> Value:
    return call.emit(Mul(), call.x, call.emit(Sigmoid(), call.x))


@converts("softplus")
def softplus(call: Call) -> Value:
    if float(call.get("beta", 1)) != 1.0:
        raise CannotImportError("has a beta other than 1")
    return pointwise.softplus(call.session, call.x)


@converts("mish")
def mish(call: Call) -> Value:
    gate = call.emit(Tanh(), pointwise.softplus(call.session, call.x))
    return call.emit(Mul(), call.x, gate)


@converts("elu", "elu_")
def elu(call: Call) -> Value:
    if float(call.get("input_scale", 1)) != 1.0:
        raise CannotImportError("has an input scale other than 1")
    alpha, scale = float(call.get("alpha", 1)), float(call.get("scale", 1))
    return pointwise.elu(call.session, call.x, alpha, scale)


@converts("celu")
def celu(call: Call) -> Value:
    alpha = float(call.get("alpha", 1))
    return pointwise.elu(call.session, call.x, alpha, beta=alpha)


@converts("selu")
def selu(call: Call) -> Value:
    return pointwise.elu(call.session, call.x, 1.6732632423543772, 1.0507009873554805)


@converts("log_sigmoid", "log_sigmoid_forward")
def log_sigmoid(call: Call) -> tuple[Value, ...]:
    upside_down = pointwise.softplus(call.session, call.emit(Neg(), call.x))
    return (call.emit(Neg(), upside_down),)


@converts("dropout", "feature_dropout", "alpha_dropout", "native_dropout")
def dropout(call: Call) -> Value:
    """Nothing: the module is in evaluation mode."""
    if call.get("train", False):
        raise CannotImportError("is in training mode")
    return call.x


@converts("alias", "clone", "contiguous", "detach", "detach_", "lift_fresh_copy")
def identity(call: Call) -> Value:
    return call.x


@converts("to", "_to_copy", "type_as")
def to(call: Call) -> Value:
    """Between floats nothing."""
    wanted = call.get("dtype")
    if wanted is None or call.x.dtype != "float32" or not wanted.is_floating_point:
        if wanted is None:
            return call.x
        raise CannotImportError(f"casts {call.x.dtype} to {wanted}")
    return call.x
