"""Functions of two operands."""

from __future__ import annotations

from collections.abc import Callable

from netsuke.frontend.tflite.call import Call
from netsuke.frontend.tflite.flatbuffer import Layout, layout
from netsuke.frontend.tflite.operators.fused import fused_bounds
from netsuke.frontend.tflite.registry import CONVERTERS, converts
from netsuke.frontend.tflite.scope import Unsupported, Value
from netsuke.ir import Op
from netsuke.ops import Add, Div, Maximum, Minimum, Mul, Prelu, Square, Sub

_FUSED = "fused_activation_function: byte"


def aligned(call: Call) -> tuple[list[str], int | None]:
    """Two operands with the same axis left out, and where that axis is in the output.

    Shapes broadcast from the right, so the batch axis of the operand with the most axes decides;
    an operand that reaches there must have extent 1 or be batched there itself.
    """
    values = [call.value(0), call.value(1)]
    rank = max(len(value.shape) for value in values)
    batch = _common_batch(values, rank, call.scope.batch)
    names = []
    for value in values:
        place = None if batch is None else batch - (rank - len(value.shape))
        if place is not None and place < 0:
            place = None if value.batch is None else value.batch
            leading = value.batch is None or not any(n > 1 for n in value.shape[: value.batch])
            place = place if leading else None
        names.append(call.scope.view(value, place))
    return names, batch


def _common_batch(values: list[Value], rank: int, extent: int) -> int | None:
    places = [
        (len(value.shape), value.batch + rank - len(value.shape))
        for value in values
        if value.batch is not None
    ]
    if not places:
        return None
    batch = max(places)[1]
    for value in values:
        own = batch - (rank - len(value.shape))
        if own >= 0 and value.batch != own and value.shape[own] != 1:
            return None
    return batch


def _binary(make: Callable[[float, float], Op], options: Layout) -> Callable[[Call], None]:
    def convert(call: Call) -> None:
        low, high = fused_bounds(call.options(options))
        names, batch = aligned(call)
        call.emit(make(low, high), names, batch)

    return convert


CONVERTERS["ADD"] = _binary(Add, layout("AddOptions", _FUSED, union=11))
CONVERTERS["SUB"] = _binary(Sub, layout("SubOptions", _FUSED, union=28))
CONVERTERS["MUL"] = _binary(Mul, layout("MulOptions", _FUSED, union=21))
CONVERTERS["DIV"] = _binary(Div, layout("DivOptions", _FUSED, union=29))


@converts("MINIMUM")
def minimum(call: Call) -> None:
    names, batch = aligned(call)
    call.emit(Minimum(), names, batch)


@converts("MAXIMUM")
def maximum(call: Call) -> None:
    names, batch = aligned(call)
    call.emit(Maximum(), names, batch)


@converts("SQUARED_DIFFERENCE")
def squared_difference(call: Call) -> None:
    names, batch = aligned(call)
    if call.stored(names[0])[0] != "float32":
        raise Unsupported("computes on integers; its float form is supported")
    call.emit(Square(), [call.step(Sub(), *names)], batch)


@converts("PRELU")
def prelu(call: Call) -> None:
    call.array(1)
    names, batch = aligned(call)
    call.emit(Prelu(), names, batch)
