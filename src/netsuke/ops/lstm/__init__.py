"""Long short-term memory (Hochreiter & Schmidhuber 1997)."""

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

STATE_BITS = 11
"""Fraction bits of c."""


@dataclass(frozen=True, slots=True, eq=False)
class _Integers:
    """Everything that the integer meaning and the int8 kernel compute with."""

    from_x: GateSums
    from_h: GateSums
    quants: tuple[Quant, ...]  # of h0, c0, y, h, c
    to_y: tuple[int, int]
    start_h: tuple[int, int]
    start_c: tuple[int, int]
    end_h: tuple[int, int]
    end_c: tuple[int, int]

    def parameters(self) -> Parameters:
        """The fields of the int8 kernel's parameters besides the sizes."""
        fields = self.from_x.parameters("x") | self.from_h.parameters("h")
        fields["sigmoid"] = sigmoid_table()
        for name, quant in zip(("h0", "c0", "y", "h", "c"), self.quants, strict=True):
            fields[f"zero_{name}"] = quant.zero_point[0]
        for name in ("to_y", "start_h", "start_c", "end_h", "end_c"):
            fields[f"{name}_multiplier"], fields[f"{name}_shift"] = getattr(self, name)
        return fields


@dataclass(frozen=True, slots=True)
class Lstm(Recurrent):
    """i, f, o = σ(W x + R h + b), g = tanh(W x + R h + b); c' = f·c + i·g; h' = o · tanh(c').

    Inputs: x ``(t, i)``, weights ``(4H, i)``, recurrent ``(4H, H)``, bias ``(4H,)``, h0 and c0
    ``(H,)``; the gates follow one another as i, f, g, o. Outputs: every h ``(t, H)``, the last h
    and the last c ``(H,)``.

    In integers (see `netsuke.ops.gates`) the sums of gates have 12 fraction bits, gates 15, and c
    has 11 in int16, so that it saturates at 16; h is the stored y::

        c' = saturate(floor((f · c + floor(i · g / 2^4) + 2^14) / 2^15))
        h' = clamp(round(o · tanh(c') · 2^-30 / scale_y) + zero_y)

    Weights are int8, per row or as a whole; the bias stays real and becomes int32.

    Attributes
    ----------
    reverse
        Read the steps from the last to the first; outputs keep the order of the inputs.
    """

    reverse: bool = False

    gates: ClassVar[int] = 4
    rule: ClassVar[QuantRule] = QuantRule(weights={1: 0, 2: 0}, float_inputs=(3,))

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

    def _integers(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> _Integers:
        x, y, h, c = require_quants(outputs[0], inputs[0], *outputs)
        arrays = [tensor.data for tensor in inputs[4:]]
        starts = [
            initial_state(state, np.zeros(state.shape) if array is None else array, quant)[1]
            for state, array, quant in zip(inputs[4:], arrays, (y, c), strict=True)
        ]
        return _Integers(
            from_x=gate_sums(inputs[1], x, inputs[3]),
            from_h=gate_sums(inputs[2], y, None),
            quants=(*starts, y, h, c),
            to_y=step_factor(2.0**-30, y.scale[0]),
            start_h=step_factor(starts[0].scale[0], y.scale[0]),
            start_c=step_factor(starts[1].scale[0], 2.0**-STATE_BITS),
            end_h=step_factor(y.scale[0], h.scale[0]),
            end_c=step_factor(2.0**-STATE_BITS, c.scale[0]),
        )

    def quantized(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *arrays: Array
    ) -> tuple[Array, ...]:
        rules = self._integers(inputs, outputs)
        zero_h0, zero_c0, zero_y, zero_h, zero_c = (q.zero_point[0] for q in rules.quants)
        x = arrays[0]
        first, _ = initial_state(inputs[4], arrays[4], rules.quants[2])
        h = rescale(first.astype(np.int64) - zero_h0, rules.start_h, zero_y)
        first, _ = initial_state(inputs[5], arrays[5], rules.quants[4])
        c = rescale(first.astype(np.int64) - zero_c0, rules.start_c, bits=16)
        y = np.zeros((len(x), len(h)), np.int8)
        for step in time_steps(len(x), self.reverse):
            sums = saturate(rules.from_x.of(x[step]) + rules.from_h.of(h))
            i, f, g, o = np.split(sums, 4)
            i, f, g, o = sigmoid_16(i), sigmoid_16(f), tanh_16(g), sigmoid_16(o)
            c = saturate((f * c + ((i * g) >> 4) + (1 << 14)) >> 15)
            h = rescale(o * tanh_16(2 * c), rules.to_y, zero_y)
            y[step] = h
        last_h = rescale(h - zero_y, rules.end_h, zero_h)
        last_c = rescale(c, rules.end_c, zero_c)
        return (y, last_h.astype(np.int8), last_c.astype(np.int8))

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        work = self.cost(inputs, outputs)
        instructions = 6.0 * work.macs + 30.0 * work.elementary
        if inputs[0].dtype == "float32":
            return (
                Kernel(
                    "nsk_lstm_f32",
                    "lstm/lstm_f32.c",
                    "nsk_lstm_real",
                    self.sizes(inputs),
                    instructions=instructions,
                ),
            )
        rules = self._integers(inputs, outputs)
        constants: dict[int, Array | None] = {3: None}
        for number, quant in ((4, rules.quants[2]), (5, rules.quants[4])):
            state = inputs[number]
            if state.data is not None:
                constants[number] = initial_state(state, state.data, quant)[0]
        hidden = outputs[1].elements
        return (
            Kernel(
                "nsk_lstm_s8",
                "lstm/lstm_s8.c",
                "nsk_lstm",
                self.sizes(inputs) | rules.parameters(),
                constants=constants,
                scratch=3 * hidden,
                instructions=instructions,
            ),
        )

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
