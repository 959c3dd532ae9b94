"""LSTM and GRU layers of one or two directions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netsuke.frontend.nchw.movement import concat
from netsuke.frontend.nchw.session import Session
from netsuke.frontend.nchw.value import CannotImportError, Value
from netsuke.ir import Op
from netsuke.ops import Gru, Lstm


@dataclass(frozen=True, slots=True)
class Direction:
    """Parameters of one direction, its gates in our order.

    `weights` ``(g·H, i)``, `recurrent` ``(g·H, H)``, `biases` ``(g·H,)`` (one for an LSTM, two
    for a GRU), `states` the initial h (and c), each ``(n, H)`` or None for zeros.
    """

    weights: Value
    recurrent: Value
    biases: tuple[Value, ...]
    states: tuple[Value | None, ...]
    reverse: bool


def run_layer(
    session: Session, x: Value, directions: Sequence[Direction], reset_after: bool = False
) -> tuple[list[Value], list[list[Value]]]:
    """Run x ``(t, n, i)``; returns every direction's y ``(t, n, H)`` and last states ``(n, H)``."""
    if x.rank != 3:
        raise CannotImportError(f"takes (time, batch, features), not {list(x.shape)}")
    x = session.hide(x, 1)
    sequences, finals = [], []
    for direction in directions:
        op: Op = Lstm(direction.reverse)
        if len(direction.states) == 1:
            op = Gru(direction.reverse, reset_after)
        units = direction.recurrent.shape[1]
        states = [_state(session, state, units, x.shape[1]) for state in direction.states]
        y, *last = session.emit_all(
            op,
            x,
            direction.weights,
            direction.recurrent,
            *direction.biases,
            *states,
            batches=(1, *[0] * len(states)),
        )
        sequences.append(y)
        finals.append(last)
    return sequences, finals


def _state(session: Session, state: Value | None, units: int, samples: int) -> Value:
    """An initial state; a constant must be the same for all samples."""
    if state is None:
        return session.constant(f"{session.next_label}.zeros", np.zeros(units, np.float32))
    if state.data is None:
        return session.hide(state)
    rows = state.data.reshape(-1, units)
    if len(rows) not in (1, samples) or (rows != rows[0]).any():
        raise CannotImportError("the initial states of the samples of a batch differ")
    return session.constant(state.label, rows[0])


def stack_directions(session: Session, values: Sequence[Value], axis: int) -> Value:
    """Join values along a new axis."""
    opened = []
    for value in values:
        shape = list(value.shape)
        shape.insert(axis, 1)
        batch = value.batch
        if batch is not None and batch >= axis:
            batch += 1
        opened.append(session.reshape(value, shape, batch))
    return concat(session, opened, axis)


def reorder_gates(session: Session, value: Value, order: Sequence[int]) -> Value:
    """Bring the blocks of the first axis into another order."""
    if value.data is None:
        raise CannotImportError("weights and biases must be constant")
    blocks = np.split(value.data, len(order))
    joined = np.concatenate([blocks[index] for index in order])
    return session.constant(value.label, joined)
