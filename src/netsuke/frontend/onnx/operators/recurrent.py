"""LSTM and GRU."""

from __future__ import annotations

import numpy as np

from netsuke.frontend.nchw.recurrent import (
    Direction,
    reorder_gates,
    run_layer,
    stack_directions,
)
from netsuke.frontend.nchw.value import CannotImportError, Value
from netsuke.frontend.onnx.registry import Call, converts

_OURS_IN_LSTM = (0, 2, 3, 1)
"""ONNX has the gates i, o, f, c; we have i, f, c (g), o."""


def _check(call: Call, activations: tuple[str, ...], x: Value) -> int:
    """Refuse what our operators cannot do; returns the number of directions."""
    directions = 2 if call.attribute("direction", "forward") == "bidirectional" else 1
    given = call.attribute("activations")
    if (
        given is not None
        and [name.lower() for name in given] != [name.lower() for name in activations] * directions
    ):
        raise CannotImportError(f"has the activations {given}")
    if call.attribute("clip") is not None:
        raise CannotImportError("clips its gates")
    if call.flag("input_forget"):
        raise CannotImportError("couples its input and forget gates")
    lengths = call.known(4)
    time = x.shape[1] if call.flag("layout") else x.shape[0]
    if lengths is not None and (lengths != time).any():
        raise CannotImportError("has sequences of different lengths")
    return directions


def _rows(call: Call, index: int, direction: int) -> Value | None:
    """One direction's slice of weights, recurrent weights or biases."""
    array = call.known(index)
    value = call.optional(index)
    if array is None or value is None:
        return None
    if direction >= len(array):
        raise CannotImportError(f"input {index} has no part for direction {direction}")
    label = value.label if len(array) == 1 else f"{value.label}.{direction}"
    return call.session.constant(label, array[direction])


def _initial(call: Call, index: int, direction: int, layout: bool) -> Value | None:
    value = call.optional(index)
    if value is None:
        return None
    s = call.session
    if layout:
        value = s.transpose(value, (1, 0, 2))
    if value.data is not None:
        return s.constant(f"{value.label}.{direction}", value.data[direction])
    if value.shape[0] != 1:
        raise CannotImportError("computed initial states of two directions are not supported")
    value = s.free(value, 0)
    batch = None if value.batch is None else value.batch - 1
    return s.reshape(value, value.shape[1:], batch)


def _layer(call: Call, gates: int, states: int, reset_after: bool) -> tuple[Value, ...]:
    s, x, layout = call.session, call[0], call.flag("layout")
    names = ("sigmoid", "tanh", "tanh") if states == 2 else ("sigmoid", "tanh")
    count = _check(call, names, x)
    if layout:
        x = s.transpose(x, (1, 0, 2))
    backwards = call.attribute("direction", "forward") == "reverse"
    order = _OURS_IN_LSTM if states == 2 else (0, 1, 2)
    directions = []
    for index in range(count):
        weights, recurrent = _rows(call, 1, index), _rows(call, 2, index)
        if weights is None or recurrent is None:
            raise CannotImportError("has no weights")
        units = recurrent.shape[1]
        directions.append(
            Direction(
                reorder_gates(s, weights, order),
                reorder_gates(s, recurrent, order),
                _biases(call, index, gates * units, order, states),
                tuple(_initial(call, 5 + i, index, layout) for i in range(states)),
                backwards or index == 1,
            )
        )
    sequences, finals = run_layer(s, x, directions, reset_after)
    y = stack_directions(s, sequences, 1)
    last = [stack_directions(s, [f[i] for f in finals], 0) for i in range(states)]
    if layout:
        y = s.transpose(y, (2, 0, 1, 3))
        last = [s.transpose(value, (1, 0, 2)) for value in last]
    return (y, *last)


def _biases(
    call: Call, direction: int, rows: int, order: tuple[int, ...], states: int
) -> tuple[Value, ...]:
    """The LSTM's one bias or the GRU's two."""
    s = call.session
    bias = _rows(call, 3, direction)
    label = f"{s.next_label}.bias" if bias is None else bias.label
    both = np.zeros(2 * rows, np.float32) if bias is None or bias.data is None else bias.data
    parts = [
        reorder_gates(s, s.constant(f"{label}.{name}", half), order)
        for name, half in zip(("input", "recurrent"), np.split(both, 2), strict=True)
    ]
    if states == 1:
        return tuple(parts)
    total = sum(part.data for part in parts if part.data is not None)
    return (s.constant(label, total),)


@converts("LSTM")
def lstm(call: Call) -> tuple[Value, ...]:
    peepholes = call.known(7)
    if peepholes is not None and peepholes.any():
        raise CannotImportError("has peepholes")
    return _layer(call, 4, 2, False)


@converts("GRU")
def gru(call: Call) -> tuple[Value, ...]:
    return _layer(call, 3, 1, call.flag("linear_before_reset"))
