"""Gated recurrent unit (Cho et al. 2014, arXiv:1406.1078)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from netsuke.ir import Array, Kernel, Quant, QuantRule, Tensor, TensorType
from netsuke.ops.gates import (
    GateSums,
    gate_sums,
    initial_state,
    rescale,
    saturate,
    sigmoid_16,
    sigmoid_table,
    step_factor,
    tanh_16,
)
from netsuke.ops.recurrent import Parameters, Recurrent, sigmoid, time_steps
from netsuke.ops.unary import require_quants

STATE_BITS = 14
"""Fraction bits of h."""


@dataclass(frozen=True, slots=True, eq=False)
class _Integers:
    """Everything that the integer meaning and the int8 kernel compute with."""

    from_x: GateSums
    from_h: GateSums
    quants: tuple[Quant, ...]  # of h0, y, h
    start: tuple[int, int]
    to_y: tuple[int, int]
    end: tuple[int, int]

    def parameters(self) -> Parameters:
        """The fields of the int8 kernel's parameters besides the sizes."""
        fields = self.from_x.parameters("x") | self.from_h.parameters("h")
        fields["sigmoid"] = sigmoid_table()
        for name, quant in zip(("h0", "y", "h"), self.quants, strict=True):
            fields[f"zero_{name}"] = quant.zero_point[0]
        for name in ("start", "to_y", "end"):
            fields[f"{name}_multiplier"], fields[f"{name}_shift"] = getattr(self, name)
        return fields


@dataclass(frozen=True, slots=True)
class Gru(Recurrent):
    """z, r = σ(W x + b + R h + q); n = tanh(W x + b + r·(R h + q)); h' = (1 - z)·n + z·h.

    Inputs: x ``(t, i)``, weights W ``(3H, i)``, recurrent R ``(3H, H)``, bias b and recurrent
    bias q ``(3H,)``, h0 ``(H,)``; the gates follow one another as z, r, n. Outputs: every h
    ``(t, H)`` and the last ``(H,)``.

    In integers (see `netsuke.ops.gates`) the sums of gates have 12 fraction bits, gates 15, and h
    has 14 in int16; products with R take the h that is stored in y, and the state that the reset
    gate multiplies is stored alike::

        h' = saturate(floor((floor((2^15 - z) · n / 2) + z · h + 2^14) / 2^15))

    Weights are int8, per row or as a whole; both biases stay real and become int32.

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
    rule: ClassVar[QuantRule] = QuantRule(weights={1: 0, 2: 0}, float_inputs=(3, 4))

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

    def _integers(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> _Integers:
        x, y, h = require_quants(outputs[0], inputs[0], *outputs)
        state = inputs[5]
        array = np.zeros(state.shape) if state.data is None else state.data
        _, start = initial_state(state, array, h)
        return _Integers(
            from_x=gate_sums(inputs[1], x, inputs[3]),
            from_h=gate_sums(inputs[2], y, inputs[4]),
            quants=(start, y, h),
            start=step_factor(start.scale[0], 2.0**-STATE_BITS),
            to_y=step_factor(2.0**-STATE_BITS, y.scale[0]),
            end=step_factor(2.0**-STATE_BITS, h.scale[0]),
        )

    def quantized(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *arrays: Array
    ) -> tuple[Array, ...]:
        rules = self._integers(inputs, outputs)
        zero_h0, zero_y, zero_h = (quant.zero_point[0] for quant in rules.quants)
        x = arrays[0]
        first, _ = initial_state(inputs[5], arrays[5], rules.quants[2])
        h = rescale(first.astype(np.int64) - zero_h0, rules.start, bits=16)
        stored = rescale(h, rules.to_y, zero_y)
        y, last = np.zeros((len(x), len(h)), np.int8), slice(2 * len(h), None)
        for step in time_steps(len(x), self.reverse):
            z, r, n = np.split(rules.from_x.of(x[step]), 3)
            rz, rr, rn = np.split(rules.from_h.of(stored), 3)
            z, r = sigmoid_16(saturate(z + rz)), sigmoid_16(saturate(r + rr))
            if self.reset_after:
                rn = (r * saturate(rn) + (1 << 14)) >> 15
            else:
                kept = rescale((r * h + (1 << 14)) >> 15, rules.to_y, zero_y)
                rn = rules.from_h.of(kept, last)
            n = tanh_16(saturate(n + rn))
            h = saturate(((((1 << 15) - z) * n >> 1) + z * h + (1 << 14)) >> 15)
            y[step] = stored = rescale(h, rules.to_y, zero_y)
        return (y, rescale(h, rules.end, zero_h).astype(np.int8))

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        work = self.cost(inputs, outputs)
        instructions = 6.0 * work.macs + 30.0 * work.elementary
        sizes = self.sizes(inputs) | {"reset_after": int(self.reset_after)}
        hidden = outputs[1].elements
        if inputs[0].dtype == "float32":
            return (
                Kernel(
                    "nsk_gru_f32",
                    "gru/gru_f32.c",
                    "nsk_gru_real",
                    sizes,
                    scratch=0 if self.reset_after else 4 * hidden,
                    instructions=instructions,
                ),
            )
        rules = self._integers(inputs, outputs)
        constants: dict[int, Array | None] = {3: None, 4: None}
        state = inputs[5]
        if state.data is not None:
            constants[5] = initial_state(state, state.data, rules.quants[2])[0]
        return (
            Kernel(
                "nsk_gru_s8",
                "gru/gru_s8.c",
                "nsk_gru",
                sizes | rules.parameters(),
                constants=constants,
                scratch=(3 if self.reset_after else 4) * hidden,
                instructions=instructions,
            ),
        )

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
