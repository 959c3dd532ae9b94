"""What the recurrent layers LSTM and GRU share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import Array, Cost, Link, Op, Tensor


def sigmoid(x: Array) -> Array:
    """1 / (1 + e^-x)."""
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-x))


def time_steps(steps: int, reverse: bool) -> range:
    """The order in which a layer visits its steps."""
    return range(steps - 1, -1, -1) if reverse else range(steps)


Parameters = dict[str, int | float | Array]


class Recurrent(Op):
    """A layer that reads x ``(t, i)`` step by step and keeps a state of H numbers."""

    gates: ClassVar[int]
    reverse: bool

    def check(self, inputs: Sequence[Tensor]) -> tuple[int, int]:
        """(steps, H); raises GraphError when weights or states do not match."""
        x, weights, recurrent, *rest = inputs
        hidden = recurrent.shape[-1] if recurrent.shape else 0
        rows = self.gates * hidden
        wanted: list[tuple[int, ...]] = [(rows, hidden)]
        wanted += [(rows,)] * (1 if self.gates == 4 else 2)
        wanted += [(hidden,)] * (2 if self.gates == 4 else 1)
        given = [recurrent.shape, *(tensor.shape for tensor in rest)]
        if len(x.shape) != 2 or weights.shape != (rows, x.shape[-1]) or given != wanted:
            raise GraphError(
                x.name,
                f"{self.kind} takes x (t, i), weights ({self.gates}H, i) and {wanted}, "
                f"not {list(x.shape)}, {list(weights.shape)} and {given}",
            )
        if 0 in (*x.shape, hidden):
            raise GraphError(x.name, f"{self.kind} of nothing: {list(x.shape)}, {hidden} units")
        return x.shape[0], hidden

    def cost(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Cost:
        steps, hidden = outputs[0].shape
        per_step = inputs[1].elements + inputs[2].elements
        return Cost(macs=steps * per_step, elementary=steps * hidden * self.gates * 2)

    def sizes(self, inputs: Sequence[Tensor]) -> Parameters:
        """The fields of any recurrent kernel's parameters."""
        (steps, features), hidden = inputs[0].shape, inputs[2].shape[1]
        return {
            "steps": steps,
            "inputs": features,
            "hidden": hidden,
            "reverse": int(self.reverse),
        }

    def links(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[Link, ...]:
        hidden = inputs[2].shape[1]
        states = [
            ("in", number, 0) for number in range(len(inputs) - len(outputs) + 1, len(inputs))
        ]
        axes = [
            ("out", 0, 1),
            *(("out", n, 0) for n in range(1, len(outputs))),
            ("in", 2, 1),
            *states,
        ]
        units, rows = np.arange(hidden), np.arange(self.gates * hidden)
        vectors = range(3, len(inputs) - len(outputs) + 1)
        matrices = [("in", 1, 0), ("in", 2, 0), *(("in", number, 0) for number in vectors)]
        return (
            Link(("in", 0, 1), ("in", 1, 1)),
            Link(("in", 0, 0), ("out", 0, 0)),
            *(Link(axes[0], axis) for axis in axes[1:]),
            *(Link(axes[0], axis, (units[rows % hidden], rows)) for axis in matrices),
        )
