"""Learned rounding of one layer (Nagel et al. 2020, arXiv:2004.10568).

A weight w on a grid of step s becomes (eq. 22 and 23 of the paper)::

    ŵ = s · clip(floor(w / s) + h(V), q_n, q_p),    h(V) = clip(σ(V) · (ζ - γ) + γ, 0, 1)

and V is learned (eq. 24 and 25)::

    min  E[|f(W x) - f(Ŵ x̂)|²]  +  λ · Σ (1 - |2 h(V) - 1|^β)

with x the float network's input of the layer, x̂ that of the layers rounded so far, and f the fused
clamp. β falls from 20 to 2 after a first fifth of the steps without the second term, which drives
h to 0 or 1.

The paper's λ weighs errors as large as those of 4 bits. Here the error is divided by that of
rounding to the nearest, and the second term is a mean over the weights, so that λ means the same
at any number of bits and for layers of any size.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from netsuke.ir import Array, Node, Tensor

STRETCH = (-0.1, 1.1)
"""The rectified sigmoid's ends before it is clipped (γ and ζ of the paper)."""

BETA = (20.0, 2.0)
"""The regulariser's exponent at first and at the end."""

WARM = 0.2
"""Share of the steps without the regulariser."""

WEIGHT = 1.0
"""λ, relative to the error of rounding to the nearest."""

BATCH = 32
LR = 3e-2
LAST = 127
"""The largest stored magnitude of a weight."""


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A linear layer, and what it is to yield.

    Attributes
    ----------
    node, tensors
        The float node, and its inputs.
    weights, bias
        Float constants.
    steps
        Of the grid, of the weights' shape.
    nearest
        Weights and bias (real values) as rounding to the nearest would ship them.
    x
        What the layer is given in the network rounded so far, ``(n, *shape)``.
    meant
        What the float network's layer yields, ``(n, *shape)``.
    """

    node: Node
    tensors: Sequence[Tensor]
    weights: Array
    bias: Array
    steps: Array
    nearest: tuple[Array, Array]
    x: Array
    meant: Array

    def error_of(self, weights: Any, bias: Any, rows: Any) -> Any:
        """Mean squared error of the layer's output on some samples."""
        number, place = self.places
        values: list[Any] = [torch.from_numpy(self.x[rows]), None, None]
        values[number], values[place] = weights, bias
        (y,) = self.node.op.lower(torch, self.tensors, *values)
        return (y - torch.from_numpy(self.meant[rows])).square().mean()

    @property
    def places(self) -> tuple[int, int]:
        """Which inputs of the node are its weights and its bias."""
        (number,) = self.node.op.rule.weights
        assert self.node.op.rule.bias is not None
        return number, self.node.op.rule.bias

    def whole_error(self, weights: Array, bias: Array) -> float:
        """Mean squared error on all samples."""
        total, values = 0.0, (torch.from_numpy(weights), torch.from_numpy(bias))
        with torch.inference_mode():
            for start in range(0, len(self.x), BATCH):
                rows = slice(start, start + BATCH)
                total += float(self.error_of(*values, rows)) * len(self.x[rows])
        return total / len(self.x)


def round_layer(layer: Layer, steps: int, seed: int, deadline: float | None) -> Array | None:
    """The integers of a layer's weights; None where rounding to the nearest does as well."""
    least = layer.whole_error(*layer.nearest)
    if least == 0.0:
        return None
    ratio = layer.weights.astype(np.float64) / layer.steps
    floor = torch.from_numpy(np.floor(ratio).astype(np.float32))
    grid = torch.from_numpy(layer.steps.astype(np.float32))
    up = _learn(layer, grid, floor, ratio - np.floor(ratio), 1.0 / least, steps, seed, deadline)
    rounded = (floor + up).clamp(-LAST, LAST)
    if layer.whole_error((grid * rounded).numpy(), layer.bias) >= least:
        return None
    return rounded.numpy().astype(np.int8)


def _learn(
    layer: Layer,
    grid: Any,
    floor: Any,
    rest: Array,
    unit: float,
    steps: int,
    seed: int,
    deadline: float | None,
) -> Any:
    """Which weights go up, 0 or 1 each."""
    low, high = STRETCH
    share = (np.clip(rest, 0.0, 1.0) - low) / (high - low)  # h(V) is the rest: ŵ = w at first
    v = torch.from_numpy(np.log(share / (1.0 - share)).astype(np.float32)).requires_grad_()
    bias, rng = torch.from_numpy(layer.bias), np.random.default_rng(seed)
    optimizer = torch.optim.Adam([v], lr=LR)
    for step in range(steps):
        if deadline is not None and time.monotonic() > deadline:
            break
        up = soft_rounding(v)
        rows = rng.integers(0, len(layer.x), min(BATCH, len(layer.x)))
        loss = unit * layer.error_of(grid * (floor + up).clamp(-LAST, LAST), bias, rows)
        if step >= WARM * steps:
            loss = loss + WEIGHT * regulariser(up, beta_at(step, steps)) / v.numel()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return (soft_rounding(v.detach()) >= 0.5).float()


def soft_rounding(v: Any) -> Any:
    """h(V), between 0 (down) and 1 (up)."""
    low, high = STRETCH
    return (torch.sigmoid(v) * (high - low) + low).clamp(0.0, 1.0)


def regulariser(up: Any, beta: float) -> Any:
    """Σ (1 - |2 h - 1|^β): 0 where every weight has decided, and 1 a weight in the middle."""
    return (1.0 - (2.0 * up - 1.0).abs().pow(beta)).sum()


def beta_at(step: int, steps: int) -> float:
    """β of a step: half a cosine from its first value to its last, once the start is over."""
    begun = WARM * steps
    share = min(1.0, max(0.0, (step - begun) / max(1.0, steps - begun)))
    first, last = BETA
    return last + 0.5 * (first - last) * (1.0 + math.cos(math.pi * share))
