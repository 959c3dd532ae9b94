"""A builder that draws its weights, and writes channels-first models as frontends do."""

from __future__ import annotations

import numpy as np

from netsuke import ops
from netsuke.ir import GraphBuilder, Op


class Drawn(GraphBuilder):
    """A `GraphBuilder` with seeded random weights."""

    def __init__(self, seed: int = 7) -> None:
        super().__init__()
        self.rng = np.random.default_rng(seed)

    def weights(self, *shape: int) -> str:
        return self.constant("w", self.rng.normal(size=shape).astype(np.float32) * 0.3)

    def positive(self, *shape: int) -> str:
        return self.constant("v", self.rng.uniform(0.5, 1.5, shape).astype(np.float32))

    def relu(self, x: str) -> str:
        return self.one(ops.Clamp(0.0), x)

    def conv(self, x: str, channels: int, kernel: int = 3, **fields: object) -> str:
        """A convolution on (h, w, c)."""
        depth = self.tensors[x].shape[2]
        op = ops.Conv2d(**fields)  # type: ignore[arg-type]
        weights = self.weights(channels, kernel, kernel, depth)
        return self.one(op, x, weights, self.weights(channels))

    def depthwise(self, x: str, kernel: int = 3, **fields: object) -> str:
        depth = self.tensors[x].shape[2]
        op = ops.DepthwiseConv2d(**fields)  # type: ignore[arg-type]
        return self.one(op, x, self.weights(kernel, kernel, depth), self.weights(depth))

    def dense(self, x: str, units: int) -> str:
        depth = self.tensors[x].shape[-1]
        return self.one(ops.Dense(), x, self.weights(units, depth), self.weights(units))

    def batch_norm(self, x: str) -> str:
        depth = self.tensors[x].shape[-1]
        rest = (self.positive(depth), self.weights(depth), self.weights(depth))
        return self.one(ops.BatchNorm(), x, *rest, self.positive(depth))


class First(Drawn):
    """Writes models with channels first: a transposition on either side of what is not."""

    def wrapped(self, op: Op, x: str, *rest: str) -> str:
        inner = self.one(ops.Transpose((1, 2, 0)), x)
        return self.one(ops.Transpose((2, 0, 1)), self.one(op, inner, *rest))

    def conv(self, x: str, channels: int, kernel: int = 3, **fields: object) -> str:
        depth = self.tensors[x].shape[0]
        fields.setdefault("padding", ((kernel // 2,) * 2, (kernel // 2,) * 2))
        op = ops.Conv2d(**fields)  # type: ignore[arg-type]
        weights = self.weights(channels, kernel, kernel, depth)
        return self.wrapped(op, x, weights, self.weights(channels))

    def batch_norm(self, x: str) -> str:
        depth = self.tensors[x].shape[0]
        rest = (self.positive(depth), self.weights(depth), self.weights(depth))
        return self.wrapped(ops.BatchNorm(), x, *rest, self.positive(depth))
