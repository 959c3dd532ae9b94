"""Bonsai as a differentiable function of its matrices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from netsuke.estimators.training.adam import Params
from netsuke.estimators.training.losses import Loss
from netsuke.estimators.training.projected import project
from netsuke.estimators.training.rounding import PowerOfTwo
from netsuke.ir import Array

FRACTION = 5  # bits of the projected input behind the point: it lies within [-4, 4)


@dataclass(frozen=True, slots=True)
class BonsaiNetwork:
    """y(x) = Σ_k I_k(x) · (W_k z) ∘ clip(V_k z, -1, 1),  z = Z x + b.

    Kumar, Goyal & Varma 2017, equations 1 to 3, with the hard tanh of the integer form in training,
    too. The relaxed indicators are I_0 = 1 and, for the children 2k + 1 and 2k + 2 of node k,
    I_k · ½(1 ∓ tanh(σ θ_k · z)).

    Attributes
    ----------
    features, outputs, depth, size
        D, L, h and the dimension of z.
    loss
        Over scores ``(n, outputs)``.
    shared
        One gate a node serves all outputs (fewer bytes and cycles for many classes).
    bits
        Of the entries of Z.
    decay, projection_decay
        λ of W, V and θ, and of Z: λ/2 times the squared entries is added to the loss.
    """

    features: int
    outputs: int
    depth: int
    size: int
    loss: Loss
    shared: bool
    bits: int
    decay: float
    projection_decay: float

    @property
    def inner(self) -> int:
        return (1 << self.depth) - 1

    @property
    def nodes(self) -> int:
        return 2 * self.inner + 1

    @property
    def formats(self) -> Mapping[str, PowerOfTwo]:
        return {
            "projection": PowerOfTwo(self.bits, least=FRACTION, most=FRACTION + 15),
            "linear": PowerOfTwo(8),
            "gate": PowerOfTwo(8, least=2, most=17),
            "branch": PowerOfTwo(8),
        }

    def initial(self, rng: np.random.Generator, x: Array, targets: Array) -> Params:
        gates = 1 if self.shared else self.outputs
        start = {
            "projection": rng.normal(size=(self.size, self.features)) / np.sqrt(self.features),
            "offset": np.zeros(self.size),
            "linear": rng.normal(size=(self.nodes, self.outputs, self.size)) * 0.5,
            "gate": rng.normal(size=(self.nodes, gates, self.size)) * 0.5,
            "branch": rng.normal(size=(self.inner, self.size)) * 0.5,
        }
        return {name: value.astype(np.float32) for name, value in start.items()}

    def gradients(
        self, params: Params, x: Array, targets: Array, weights: Array, sharpness: float, fine: bool
    ) -> tuple[float, Params]:
        z, inside = project(params, x, FRACTION, fine)
        linear = z @ params["linear"].reshape(-1, self.size).T
        linear = linear.reshape(len(x), self.nodes, -1)
        gated = (z @ params["gate"].reshape(-1, self.size).T).reshape(len(x), self.nodes, -1)
        side = np.tanh(sharpness * (z @ params["branch"].T))
        reach = self._reach(side)
        product = linear * np.clip(gated, -1, 1)
        scores = np.einsum("nk,nkl->nl", reach, product)
        value, by_score = self.loss(scores, targets, weights)
        by_score = by_score.astype(z.dtype)

        by_side = self._by_side(reach, side, np.einsum("nkl,nl->nk", product, by_score))
        by_branch = by_side * sharpness * (1 - side * side)
        by_product = reach[:, :, None] * by_score[:, None, :]
        by_linear = (by_product * np.clip(gated, -1, 1)).reshape(len(x), -1)
        by_gate = by_product * linear
        if self.shared:
            by_gate = by_gate.sum(axis=2, keepdims=True)
        by_gate = (by_gate * (np.abs(gated) < 1)).reshape(len(x), -1)
        by_z = by_linear @ params["linear"].reshape(-1, self.size)
        by_z += by_gate @ params["gate"].reshape(-1, self.size)
        by_z = (by_z + by_branch @ params["branch"]) * inside
        plain = {
            "linear": (by_linear.T @ z).reshape(params["linear"].shape),
            "gate": (by_gate.T @ z).reshape(params["gate"].shape),
            "branch": by_branch.T @ z,
        }
        gradients = {name: g + self.decay * params[name] for name, g in plain.items()}
        gradients["projection"] = by_z.T @ x + self.projection_decay * params["projection"]
        gradients["offset"] = by_z.sum(axis=0)
        return value, gradients

    def _reach(self, side: Array) -> Array:
        """I_k of every node: ``(n, nodes)``."""
        reach = np.ones((len(side), self.nodes), side.dtype)
        for k in range(self.inner):
            reach[:, 2 * k + 1] = reach[:, k] * (1 - side[:, k]) / 2
            reach[:, 2 * k + 2] = reach[:, k] * (1 + side[:, k]) / 2
        return reach

    def _by_side(self, reach: Array, side: Array, by_reach: Array) -> Array:
        """Gradient by tanh(σ θ_k · z) from that by the I_k, leaves first."""
        by_side = np.zeros_like(side)
        for k in reversed(range(self.inner)):
            left, right = by_reach[:, 2 * k + 1], by_reach[:, 2 * k + 2]
            by_side[:, k] = reach[:, k] * (right - left) / 2
            by_reach[:, k] += (left * (1 - side[:, k]) + right * (1 + side[:, k])) / 2
        return by_side

    def unit_sharpness(self, params: Params, x: Array) -> float:
        if not self.inner:
            return 1.0
        z, _ = project(params, x, FRACTION, True)
        return 0.1 / (float(np.abs(z @ params["branch"].T).mean()) + 1e-9)
