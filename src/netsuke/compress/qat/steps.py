"""Learned step sizes (LSQ, Esser et al. 2020, arXiv:1902.08153).

A value v becomes v̂ = s · (clip(round(v / s) + z, q_n, q_p) - z). Backward (eq. 3 and 5 of the
paper, the zero point z fixed)::

    ∂v̂/∂v = 1 inside of the range, else 0
    ∂v̂/∂s = (v̂ - v) / s inside of the range, else v̂ / s

and the gradient of s is multiplied by 1 / √(N · Q), with N the elements that s quantizes and
Q the larger of q_p - z and z - q_n.

What is learned is the ratio of s to the step that calibration found. Its gradient is that of s
divided by the first step, so that plain gradient descent moves s as in the paper, and an
optimizer that normalizes gradients moves every step by the same share of itself.
"""

from __future__ import annotations

import math
from typing import Any

import torch

Ends = tuple[int, int]

LEAST, MOST = 1.0 / 64.0, 64.0
"""Between these a ratio stays."""


def step_size(base: Any, ratio: Any) -> Any:
    """The step in float32, as the exported graph has it."""
    return base * ratio.detach().clamp(LEAST, MOST)


class Quantized(torch.autograd.Function):
    """v -> v̂ with one step, or one along an axis; see the module's formula."""

    @staticmethod
    def forward(
        ctx: Any, v: Any, ratio: Any, base: Any, zero: int, axis: int | None, low: int, high: int
    ) -> Any:
        step = step_size(base, ratio)
        if axis is None:
            zeros = torch.full((), zero, dtype=torch.int32)
            y = torch.fake_quantize_per_tensor_affine(v, step.reshape(()), zeros, low, high)
        else:
            zeros = torch.full(step.shape, zero, dtype=torch.int32)
            y = torch.fake_quantize_per_channel_affine(v, step, zeros, axis, low, high)
        ctx.save_for_backward(v, y, step, base)
        ctx.axis, ctx.reach = axis, max(high - zero, zero - low)
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        (gradient,) = gradients
        v, y, step, base = ctx.saved_tensors
        shape = [1] * v.ndim
        if ctx.axis is not None:
            shape[ctx.axis] = -1
        error = y - v
        inside = error.abs() <= 0.5001 * step.reshape(shape)
        passed = gradient * inside
        if not ctx.needs_input_grad[1]:
            return passed, None, None, None, None, None, None
        of_step = passed * error + (gradient - passed) * y
        others = [a for a in range(v.ndim) if a != ctx.axis]
        total = of_step.sum(dim=others) if others else of_step
        count = v.numel() / step.numel()
        if ctx.axis is None:
            count /= v.shape[0]  # of an activation: elements of one sample
        factor = 1.0 / math.sqrt(count * ctx.reach)
        moved = total.reshape(step.shape) * (factor / (step * base))
        return passed, moved, None, None, None, None, None


class Replaced(torch.autograd.Function):
    """The value of one tensor with the gradient of another."""

    @staticmethod
    def forward(ctx: Any, learned: Any, exact: Any) -> Any:
        return exact.view_as(exact)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        return gradients[0], None


def quantized(v: Any, ratio: Any, base: Any, zero: int, axis: int | None, ends: Ends) -> Any:
    """v on the grid whose first steps were `base`; zero point, axis of the steps, stored ends."""
    return Quantized.apply(v, ratio, base, zero, axis, *ends)  # type: ignore[no-untyped-call]


def replaced(learned: Any, exact: Any) -> Any:
    """The value of `exact` with the gradient of `learned`."""
    return Replaced.apply(learned, exact)  # type: ignore[no-untyped-call]


def rounded(v: Any, step: Any) -> Any:
    """v on the grid of a step, with v's gradient."""
    return replaced(v, torch.round(v.detach() / step) * step)
