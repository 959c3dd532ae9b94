"""Functions of one operand."""

from __future__ import annotations

import math
from collections.abc import Callable

from netsuke.frontend.tflite.call import Call
from netsuke.frontend.tflite.flatbuffer import layout
from netsuke.frontend.tflite.registry import CONVERTERS, converts
from netsuke.frontend.tflite.scope import Unsupported
from netsuke.ir import Op
from netsuke.ops import (
    Abs,
    Clamp,
    Exp,
    Gelu,
    HardSwish,
    LeakyRelu,
    Log,
    LogSoftmax,
    Neg,
    Rsqrt,
    Sigmoid,
    Softmax,
    Sqrt,
    Square,
    Tanh,
)

LEAKY_RELU = layout("LeakyReluOptions", "alpha: float", union=75)
GELU = layout("GeluOptions", "approximate: bool", union=116)
SOFTMAX = layout("SoftmaxOptions", "beta: float", union=9)


def _unary(op: Op) -> Callable[[Call], None]:
    def convert(call: Call) -> None:
        value = call.value(0)
        call.emit(op, [value.name], value.batch)

    return convert


CONVERTERS.update(
    {
        "RELU": _unary(Clamp(0.0, math.inf)),
        "RELU6": _unary(Clamp(0.0, 6.0)),
        "RELU_N1_TO_1": _unary(Clamp(-1.0, 1.0)),
        "RELU_0_TO_1": _unary(Clamp(0.0, 1.0)),
        "HARD_SWISH": _unary(HardSwish()),
        "LOGISTIC": _unary(Sigmoid()),
        "TANH": _unary(Tanh()),
        "EXP": _unary(Exp()),
        "LOG": _unary(Log()),
        "SQRT": _unary(Sqrt()),
        "RSQRT": _unary(Rsqrt()),
        "SQUARE": _unary(Square()),
        "ABS": _unary(Abs()),
        "NEG": _unary(Neg()),
    }
)


@converts("LEAKY_RELU")
def leaky_relu(call: Call) -> None:
    value = call.value(0)
    call.emit(LeakyRelu(call.options(LEAKY_RELU).real("alpha")), [value.name], value.batch)


@converts("GELU")
def gelu(call: Call) -> None:
    value = call.value(0)
    call.emit(Gelu(call.options(GELU).flag("approximate")), [value.name], value.batch)


@converts("SOFTMAX")
def softmax(call: Call) -> None:
    beta = call.options(SOFTMAX).real("beta")
    if not 0.0 < beta < 1e6:
        raise Unsupported(f"has beta {beta:g}")
    name, batch = _last_axis(call)
    call.emit(Softmax(-1, beta), [name], batch)


@converts("LOG_SOFTMAX")
def log_softmax(call: Call) -> None:
    name, batch = _last_axis(call)
    call.emit(LogSoftmax(-1), [name], batch)


def _last_axis(call: Call) -> tuple[str, int | None]:
    """The input with a last axis that is not the batch's."""
    value = call.value(0)
    call.sample_axis(value, -1)
    return value.name, value.batch
