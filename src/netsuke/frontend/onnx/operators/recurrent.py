"""LSTM, GRU and RNN."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from netsuke.frontend.nchw.recurrent import (
    Direction,
    reorder_gates,
    run_layer,
    stack_directions,
)
from netsuke.frontend.nchw.unrolled import Variant, unroll_layer
from netsuke.frontend.nchw.value import CannotImportError, Value
from netsuke.frontend.onnx.registry import Call, converts

_LSTM = (0, 2, 3, 1)
"""ONNX has the gates i, o, f, c; we have i, f, c (g), o."""

_GRU = (0, 1, 2)
_RNN = (0,)


def _steps_first(call: Call) -> Value:
    """The input with the time in front; refuses sequences of different lengths."""
    x = call[0]
    if call.flag("layout"):
        x = call.session.transpose(x, (1, 0, 2))
    lengths = call.known(4)
    if lengths is not None and (lengths != x.shape[0]).any():
        raise CannotImportError("has sequences of different lengths")
    return x


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


def _initial(call: Call, index: int, direction: int) -> Value | None:
    """The initial state ``(n, H)`` of one direction."""
    value = call.optional(index)
    if value is None:
        return None
    s = call.session
    if call.flag("layout"):
        value = s.transpose(value, (1, 0, 2))
    if value.data is not None and value.batch is None:
        return s.constant(f"{value.label}.{direction}", value.data[direction])
    if value.shape[0] != 1:
        raise CannotImportError("computed initial states of two directions are not supported")
    value = s.free(value, 0)
    batch = None if value.batch is None else value.batch - 1
    return s.reshape(value, value.shape[1:], batch)


def _directions(call: Call, order: Sequence[int], states: int, biases: int) -> list[Direction]:
    """Parameters of all directions, with the gates in our order."""
    s, way = call.session, call.attribute("direction", "forward")
    found = []
    for index in range(2 if way == "bidirectional" else 1):
        weights, recurrent = _rows(call, 1, index), _rows(call, 2, index)
        if weights is None or recurrent is None:
            raise CannotImportError("has no weights")
        found.append(
            Direction(
                reorder_gates(s, weights, order),
                reorder_gates(s, recurrent, order),
                _biases(call, index, weights.shape[0], order, biases),
                tuple(_initial(call, 5 + i, index) for i in range(states)),
                way == "reverse" or index == 1,
            )
        )
    return found


def _biases(
    call: Call, direction: int, rows: int, order: Sequence[int], count: int
) -> tuple[Value, ...]:
    """Both biases of the file, or their sum."""
    s = call.session
    bias = _rows(call, 3, direction)
    label = f"{s.next_label}.bias" if bias is None else bias.label
    both = np.zeros(2 * rows, np.float32) if bias is None or bias.data is None else bias.data
    parts = [
        reorder_gates(s, s.constant(f"{label}.{name}", half), order)
        for name, half in zip(("input", "recurrent"), np.split(both, 2), strict=True)
    ]
    if count == 2:
        return tuple(parts)
    return (s.constant(label, sum(part.data for part in parts if part.data is not None)),)


def _activations(call: Call, usual: tuple[str, ...], directions: int) -> list[tuple[str, ...]]:
    """Lower-case names of the activations of each direction."""
    given = [name.lower() for name in call.attribute("activations") or usual * directions]
    if len(given) != len(usual) * directions:
        raise CannotImportError(f"has {len(given)} activations")
    if call.attribute("activation_alpha") or call.attribute("activation_beta"):
        raise CannotImportError("has parameters of activations")
    each = len(usual)
    return [tuple(given[i * each : (i + 1) * each]) for i in range(directions)]


def _results(
    call: Call, sequences: Sequence[Value], finals: Sequence[Sequence[Value]]
) -> tuple[Value, ...]:
    """Y and the last states, with the file's axes."""
    s = call.session
    y = stack_directions(s, sequences, 1)
    last = [stack_directions(s, states, 0) for states in zip(*finals, strict=True)]
    if call.flag("layout"):
        y = s.transpose(y, (2, 0, 1, 3))
        last = [s.transpose(value, (1, 0, 2)) for value in last]
    return (y, *last)


@converts("LSTM")
def lstm(call: Call) -> tuple[Value, ...]:
    x, usual = _steps_first(call), ("sigmoid", "tanh", "tanh")
    directions = _directions(call, _LSTM, 2, 1)
    activations = _activations(call, usual, len(directions))
    clip, coupled = call.real("clip", math.inf), call.flag("input_forget")
    variants = [
        Variant(names, clip, _peepholes(call, index), coupled)
        for index, names in enumerate(activations)
    ]
    if all(variant == Variant(usual) for variant in variants):
        return _results(call, *run_layer(call.session, x, directions))
    return _results(call, *unroll_layer(call.session, x, directions, variants))


def _peepholes(call: Call, direction: int) -> tuple[Value, ...]:
    """Weights from c to the gates i, f, o; ONNX has them as i, o, f."""
    value = _rows(call, 7, direction)
    if value is None or value.data is None or not value.data.any():
        return ()
    i, o, f = np.split(value.data, 3)
    named = zip("ifo", (i, f, o), strict=True)
    return tuple(call.session.constant(f"{value.label}.{gate}", row) for gate, row in named)


@converts("GRU")
def gru(call: Call) -> tuple[Value, ...]:
    x = _steps_first(call)
    directions = _directions(call, _GRU, 1, 2)
    for names in _activations(call, ("sigmoid", "tanh"), len(directions)):
        if names != ("sigmoid", "tanh"):
            raise CannotImportError(f"has the activations {', '.join(names)}")
    if call.attribute("clip") is not None:
        raise CannotImportError("clips its gates")
    after = call.flag("linear_before_reset")
    return _results(call, *run_layer(call.session, x, directions, after))


@converts("RNN")
def rnn(call: Call) -> tuple[Value, ...]:
    x = _steps_first(call)
    directions = _directions(call, _RNN, 1, 1)
    clip = call.real("clip", math.inf)
    activations = _activations(call, ("tanh",), len(directions))
    variants = [Variant(names, clip) for names in activations]
    return _results(call, *unroll_layer(call.session, x, directions, variants))
