"""Gated recurrent unit (Cho et al. 2014, arXiv:1406.1078)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from netsuke.ir import Array, QuantRule, Tensor, TensorType
from netsuke.ops.recurrent import Recurrent, sigmoid, time_steps


@dataclass(frozen=True, slots=True)
class Gru(Recurrent):
    """z, r = σ(W x + b + R h + q); n = tanh(W x + b + r·(R h + q)); h' = (1 - z)·n + z·h.

    Inputs: x ``(t, i)``, weights W ``(3H, i)``, recurrent R ``(3H, H)``, bias b and recurrent
    bias q ``(3H,)``, h0 ``(H,)``; the gates follow one another as z, r, n. Outputs: every h
    ``(t, H)`` and the last ``(H,)``.

    Attributes
    ----------
    reverse
        Read the steps from the last to the first; outputs keep the order of the inputs.
    reset_after
        The reset gate multiplies the recurrent product, as above (PyTorch, Keras; ONNX's
        ``linear_before_reset``); otherwise the state: n = tanh(W x + b + R (r·h) + q).
    """

    reverse: bool = False
    reset_after: bool = False

    gates: ClassVar[int] = 3
    rule: ClassVar[QuantRule] = QuantRule(weights={1: 0, 2: 0}, bias=3, float_inputs=(4,))

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        steps, hidden = self.check(inputs)
        dtype = inputs[0].dtype
        return (TensorType((steps, hidden), dtype), TensorType((hidden,), dtype))

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        x, weights, recurrent, bias, recurrent_bias, h = (a.astype(np.float64) for a in arrays)
        y = np.zeros((len(x), len(h)))
        last = recurrent[2 * len(h) :]
        for step in time_steps(len(x), self.reverse):
            z, r, n = np.split(weights @ x[step] + bias, 3)
            rz, rr, rn = np.split(recurrent @ h + recurrent_bias, 3)
            z, r = sigmoid(z + rz), sigmoid(r + rr)
            if not self.reset_after:
                rn = last @ (r * h) + recurrent_bias[2 * len(h) :]
            n = np.tanh(n + (r * rn if self.reset_after else rn))
            h = (1.0 - z) * n + z * h
            y[step] = h
        return (y.astype(np.float32), h.astype(np.float32))

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        x, weights, recurrent, bias, recurrent_bias, h = values
        size, steps = inputs[5].shape[0], x.shape[1]
        outputs: list[Any] = [None] * steps
        for step in time_steps(steps, self.reverse):
            z, r, n = torch.chunk(x[:, step] @ weights.T + bias, 3, dim=-1)
            rz, rr, rn = torch.chunk(h @ recurrent.T + recurrent_bias, 3, dim=-1)
            z, r = torch.sigmoid(z + rz), torch.sigmoid(r + rr)
            if not self.reset_after:
                rn = (r * h) @ recurrent[2 * size :].T + recurrent_bias[2 * size :]
            n = torch.tanh(n + (r * rn if self.reset_after else rn))
            h = (1 - z) * n + z * h
            outputs[step] = h
        return (torch.stack(outputs, dim=1), h)
