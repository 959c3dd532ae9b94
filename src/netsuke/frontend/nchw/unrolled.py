"""Recurrent layers that our operators do not have, written out step by step.

For simple recurrent networks, and for an LSTM with peepholes, a clip or other activations (Gers,
Schraudolph & Schmidhuber 2002). The graph grows with the number of steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from netsuke.frontend.nchw.linear import dense
from netsuke.frontend.nchw.movement import concat, cut, split
from netsuke.frontend.nchw.pointwise import add, clamp, multiply, scalar, subtract
from netsuke.frontend.nchw.recurrent import Direction
from netsuke.frontend.nchw.session import Session
from netsuke.frontend.nchw.value import CannotImportError, Value
from netsuke.ops import Sigmoid, Tanh

MOST_STEPS = 128

Activation = Callable[[Session, Value], Value]
Step = Callable[[Value, list[Value]], tuple[Value, list[Value]]]

ACTIVATIONS: dict[str, Activation] = {
    "sigmoid": lambda session, x: session.emit(Sigmoid(), x),
    "tanh": lambda session, x: session.emit(Tanh(), x),
    "relu": lambda session, x: clamp(session, x, 0.0, math.inf),
}


@dataclass(frozen=True, slots=True)
class Variant:
    """What makes a layer differ from our operators.

    Attributes
    ----------
    activations
        Names in `ACTIVATIONS`, as ONNX lists them for one direction.
    clip
        Bound of the sums before the activations.
    peepholes
        Weights ``(H,)`` from c to the gates i, f and o; empty for none.
    coupled
        Whether i = 1 - f.
    """

    activations: tuple[str, ...]
    clip: float = math.inf
    peepholes: tuple[Value, ...] = field(default=())
    coupled: bool = False


def unroll_layer(
    session: Session, x: Value, directions: Sequence[Direction], variants: Sequence[Variant]
) -> tuple[list[Value], list[list[Value]]]:
    """As `run_layer`, with one variant a direction; an LSTM has two states, an RNN one."""
    x = session.hide(x, 1)
    if x.shape[0] > MOST_STEPS:
        raise CannotImportError(f"has {x.shape[0]} steps to write out, more than {MOST_STEPS}")
    sequences, finals = [], []
    for direction, variant in zip(directions, variants, strict=True):
        unknown = set(variant.activations) - set(ACTIVATIONS)
        if unknown:
            raise CannotImportError(f"has the activations {', '.join(sorted(unknown))}")
        make = _lstm_step if len(direction.states) == 2 else _simple_step
        sequence, last = _run(session, x, direction, make(session, direction, variant))
        sequences.append(sequence)
        finals.append(last)
    return sequences, finals


def _run(session: Session, x: Value, direction: Direction, step: Step) -> tuple[Value, list[Value]]:
    steps, samples, _ = x.shape
    units = direction.recurrent.shape[1]
    states = [_start(session, state, units, samples) for state in direction.states]
    (bias,) = direction.biases
    sums = dense(session, x, direction.weights, bias)
    rows: list[Value] = [x] * steps
    order = range(steps)
    for index in reversed(order) if direction.reverse else order:
        row = cut(session, sums, {0: (index, 1, 1)})
        row = session.reshape(row, row.shape[1:], 0)
        y, states = step(row, states)
        rows[index] = session.reshape(y, (1, *y.shape), 1)
    return concat(session, rows, 0), states


def _start(session: Session, state: Value | None, units: int, samples: int) -> Value:
    if state is None:
        state = session.constant("zeros", np.zeros((1, units), np.float32))
    return session.hide(state)


def _lstm_step(session: Session, direction: Direction, variant: Variant) -> Step:
    gate, candidate, squash = (ACTIVATIONS[name] for name in variant.activations)
    units = direction.recurrent.shape[1]

    def bounded(value: Value) -> Value:
        return clamp(session, value, -variant.clip, variant.clip)

    def look(value: Value, cell: Value, index: int) -> Value:
        if not variant.peepholes:
            return value
        return add(session, value, multiply(session, variant.peepholes[index], cell))

    def step(row: Value, states: list[Value]) -> tuple[Value, list[Value]]:
        h, c = states
        sums = add(session, row, dense(session, h, direction.recurrent, None))
        i, f, g, o = split(session, sums, 1, [units] * 4)
        forget = gate(session, bounded(look(f, c, 1)))
        if variant.coupled:
            admit = subtract(session, scalar(session, 1.0), forget)
        else:
            admit = gate(session, bounded(look(i, c, 0)))
        fresh = multiply(session, admit, candidate(session, bounded(g)))
        c = add(session, multiply(session, forget, c), fresh)
        h = multiply(session, gate(session, bounded(look(o, c, 2))), squash(session, c))
        return h, [h, c]

    return step


def _simple_step(session: Session, direction: Direction, variant: Variant) -> Step:
    activation = ACTIVATIONS[variant.activations[0]]

    def step(row: Value, states: list[Value]) -> tuple[Value, list[Value]]:
        sums = add(session, row, dense(session, states[0], direction.recurrent, None))
        h = activation(session, clamp(session, sums, -variant.clip, variant.clip))
        return h, [h]

    return step
