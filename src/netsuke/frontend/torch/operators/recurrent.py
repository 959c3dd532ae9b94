"""LSTM and GRU of any number of layers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netsuke.frontend.nchw.movement import concat, cut
from netsuke.frontend.nchw.recurrent import (
    Direction,
    reorder_gates,
    run_layer,
    stack_directions,
)
from netsuke.frontend.nchw.session import Session
from netsuke.frontend.nchw.value import CannotImportError, Value
from netsuke.frontend.torch.registry import Call, converts

_LSTM = (0, 1, 2, 3)
_GRU = (1, 0, 2)
"""PyTorch has the gates r, z, n; we have z, r, n."""


@converts("lstm")
def lstm(call: Call) -> tuple[Value, ...]:
    return _network(call, list(call["hx"]), _LSTM)


@converts("gru")
def gru(call: Call) -> tuple[Value, ...]:
    return _network(call, [call["hx"]], _GRU)


def _network(call: Call, initial: Sequence[Value], order: Sequence[int]) -> tuple[Value, ...]:
    s, x = call.session, call["input"]
    if "batch_sizes" in call.arguments:
        raise CannotImportError("runs on packed sequences")
    if call.get("train", False):
        raise CannotImportError("is in training mode")
    if (
        len(call["params"]) > 1
        and call["params"][1].shape[1] * len(order) != (call["params"][1].shape[0])
    ):
        raise CannotImportError("projects its states")
    if call["batch_first"]:
        x = s.transpose(x, (1, 0, 2))
    count = 2 if call["bidirectional"] else 1
    each = 4 if call["has_biases"] else 2
    finals: list[list[Value]] = []
    for layer in range(int(call["num_layers"])):
        directions = []
        for index in range(layer * count, (layer + 1) * count):
            parameters = call["params"][index * each : (index + 1) * each]
            states = tuple(_initial(s, state, index) for state in initial)
            reverse = count == 2 and index % 2 == 1
            directions.append(_direction(s, parameters, states, order, reverse))
        sequences, last = run_layer(s, x, directions, reset_after=True)
        finals.extend(last)
        x = sequences[0] if count == 1 else concat(s, sequences, 2)
    if call["batch_first"]:
        x = s.transpose(x, (1, 0, 2))
    ends = [stack_directions(s, [f[i] for f in finals], 0) for i in range(len(initial))]
    return (x, *ends)


def _initial(session: Session, states: Value, index: int) -> Value:
    """The initial state ``(n, H)`` of one layer and direction out of ``(layers, n, H)``."""
    if states.data is not None and states.batch is None:
        return session.constant(f"{states.label}.{index}", states.data[index])
    states = session.free(states, 0)
    piece = cut(session, states, {0: (index, 1, 1)})
    batch = None if piece.batch is None else piece.batch - 1
    return session.reshape(piece, piece.shape[1:], batch)


def _direction(
    session: Session,
    parameters: Sequence[Value],
    states: tuple[Value | None, ...],
    order: Sequence[int],
    reverse: bool,
) -> Direction:
    weights, recurrent, *biases = (reorder_gates(session, p, order) for p in parameters)
    rows = weights.shape[0]
    if not biases:
        label = session.next_label
        zeros = np.zeros(rows, np.float32)
        biases = [session.constant(f"{label}.zeros{i}", zeros) for i in range(2)]
    if len(order) == 4:
        total = sum(bias.data for bias in biases if bias.data is not None)
        biases = [session.constant(biases[0].label, total)]
    return Direction(weights, recurrent, tuple(biases), states, reverse)
