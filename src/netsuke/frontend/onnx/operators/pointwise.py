"""Elementwise arithmetic and activations."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from netsuke.frontend.nchw import pointwise
from netsuke.frontend.nchw.session import Session
from netsuke.frontend.nchw.value import CannotImportError, Value
from netsuke.frontend.onnx.registry import Call, Converter, converts
from netsuke.ir import Op
from netsuke.ops import (
    Abs,
    Add,
    Exp,
    Gelu,
    HardSigmoid,
    HardSwish,
    LeakyRelu,
    Log,
    Mul,
    Neg,
    Sigmoid,
    Sqrt,
    Tanh,
)


def _unary(op: Op) -> Converter:
    return lambda call: call.emit(op, call[0])


for _name, _op in (
    ("Abs", Abs()),
    ("Exp", Exp()),
    ("HardSwish", HardSwish()),
    ("Log", Log()),
    ("Neg", Neg()),
    ("Sigmoid", Sigmoid()),
    ("Sqrt", Sqrt()),
    ("Tanh", Tanh()),
):
    converts(_name)(_unary(_op))


def _binary(function: Callable[[Session, Value, Value], Value]) -> Converter:
    return lambda call: function(call.session, call[0], call[1])


for _name, _function in (
    ("Add", pointwise.add),
    ("Sub", pointwise.subtract),
    ("Mul", pointwise.multiply),
    ("Div", pointwise.divide),
    ("Pow", pointwise.power),
    ("PRelu", pointwise.prelu),
):
    converts(_name)(_binary(_function))


def _all(call: Call) -> list[Value]:
    return [call[index] for index in range(len(call.inputs))]


@converts("Sum")
def sum_all(call: Call) -> Value:
    return pointwise.chain(call.session, Add(), _all(call))


@converts("Mean")
def mean_all(call: Call) -> Value:
    return pointwise.mean(call.session, _all(call))


@converts("Max")
def maximum(call: Call) -> Value:
    return pointwise.extreme(call.session, _all(call), largest=True)


@converts("Min")
def minimum(call: Call) -> Value:
    return pointwise.extreme(call.session, _all(call), largest=False)


@converts("Relu")
def relu(call: Call) -> Value:
    return pointwise.clamp(call.session, call[0], 0.0, math.inf)


@converts("Clip")
def clip(call: Call) -> Value:
    low = call.real("min", call.known_real(1, -math.inf))
    high = call.real("max", call.known_real(2, math.inf))
    return pointwise.clamp(call.session, call[0], low, high)


@converts("LeakyRelu")
def leaky_relu(call: Call) -> Value:
    return call.emit(LeakyRelu(call.real("alpha", 0.01)), call[0])


@converts("HardSigmoid")
def hard_sigmoid(call: Call) -> Value:
    return call.emit(HardSigmoid(call.real("alpha", 0.2), call.real("beta", 0.5)), call[0])


@converts("Gelu")
def gelu(call: Call) -> Value:
    return call.emit(Gelu(call.attribute("approximate", "none") == "tanh"), call[0])


@converts("Reciprocal")
def reciprocal(call: Call) -> Value:
    return pointwise.reciprocal(call.session, call[0])


@converts("Softplus")
def softplus(call: Call) -> Value:
    return pointwise.softplus(call.session, call[0])


@converts("Softsign")
def softsign(call: Call) -> Value:
    s, x = call.session, call[0]
    return pointwise.divide(s, x, pointwise.add(s, call.emit(Abs(), x), pointwise.scalar(s, 1.0)))


@converts("Mish")
def mish(call: Call) -> Value:
    gate = call.emit(Tanh(), pointwise.softplus(call.session, call[0]))
    return call.emit(Mul(), call[0], gate)


@converts("Swish")
def swish(call: Call) -> Value:
    s, alpha = call.session, call.real("alpha", 1.0)
    inner = call[0] if alpha == 1.0 else pointwise.multiply(s, call[0], pointwise.scalar(s, alpha))
    return call.emit(Mul(), call[0], call.emit(Sigmoid(), inner))


@converts("Elu")
def elu(call: Call) -> Value:
    return pointwise.elu(call.session, call[0], call.real("alpha", 1.0))


@converts("Selu")
def selu(call: Call) -> Value:
    alpha, gamma = call.real("alpha", 1.67326319), call.real("gamma", 1.05070102)
    return pointwise.elu(call.session, call[0], alpha, gamma)


@converts("Celu")
def celu(call: Call) -> Value:
    alpha = call.real("alpha", 1.0)
    return pointwise.elu(call.session, call[0], alpha, beta=alpha)


@converts("Identity")
def identity(call: Call) -> Value:
    return call[0]


@converts("Dropout")
def dropout(call: Call) -> Value:
    """Nothing, at inference; the mask would be all ones."""
    training = call.known(2)
    if training is not None and bool(np.any(training)):
        raise CannotImportError("is in training mode")
    call.refuse_output(1, "mask")
    return call[0]
