"""Long short-term memory (Hochreiter & Schmidhuber 1997)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from netsuke.ir import Array, QuantRule, Tensor, TensorType
from netsuke.ops.recurrent import Recurrent, sigmoid, time_steps


@dataclass(frozen=True, slots=True)
class Lstm(Recurrent):
    """i, f, o = σ(W x + R h + b), g = tanh(W x + R h + b); c' = f·c + i·g; h' = o · tanh(c').

    Inputs: x ``(t, i)``, weights ``(4H, i)``, recurrent ``(4H, H)``, bias ``(4H,)``, h0 and c0
    ``(H,)``; the gates follow one another as i, f, g, o. Outputs: every h ``(t, H)``, the last h
    and the last c ``(H,)``.

    Attributes
    ----------
    reverse
        Read the steps from the last to the first; outputs keep the order of the inputs.
    """

    reverse: bool = False

    gates: ClassVar[int] = 4
    rule: ClassVar[QuantRule] = QuantRule(weights={1: 0, 2: 0}, bias=3)

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        steps, hidden = self.check(inputs)
        state = TensorType((hidden,), inputs[0].dtype)
        return (TensorType((steps, hidden), inputs[0].dtype), state, state)

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        x, weights, recurrent, bias, h, c = (array.astype(np.float64) for array in arrays)
        y = np.zeros((len(x), len(h)))
        for step in time_steps(len(x), self.reverse):
            i, f, g, o = np.split(weights @ x[step] + recurrent @ h + bias, 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            y[step] = h
        return (y.astype(np.float32), h.astype(np.float32), c.astype(np.float32))

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        x, weights, recurrent, bias, h, c = values
        steps = x.shape[1]
        outputs: list[Any] = [None] * steps
        for step in time_steps(steps, self.reverse):
            sums = x[:, step] @ weights.T + h @ recurrent.T + bias
            i, f, g, o = torch.chunk(sums, 4, dim=-1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            outputs[step] = h
        return (torch.stack(outputs, dim=1), h, c)
