"""Layer normalization (Ba et al. 2016, arXiv:1607.06450)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import Array, Link, Op, Tensor, TensorType
from netsuke.ops.broadcast import broadcast_shape, normal_axis
from netsuke.ops.links import broadcast_links


@dataclass(frozen=True, slots=True)
class LayerNorm(Op):
    """y = (x - mean) / √(variance + epsilon) · scale + offset, over the axes `axis` and behind.

    Inputs: x; scale and offset, constants of the shape of the normalized axes.
    """

    axis: int = -1
    epsilon: float = 1e-5

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        x = inputs[0]
        inner = x.shape[normal_axis(x.name, self.axis, len(x.shape)) :]
        for tensor in inputs[1:]:
            if broadcast_shape(x.name, tensor.shape, inner) != inner:
                raise GraphError(
                    x.name,
                    f"layer_norm over {list(inner)} cannot use {tensor.name!r} "
                    f"of shape {list(tensor.shape)}",
                )
        return (x.type,)

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        x, scale, offset = arrays
        axes = tuple(range(self.axis % x.ndim, x.ndim))
        wide = x.astype(np.float64)
        centred = wide - wide.mean(axis=axes, keepdims=True)
        variance = (centred * centred).mean(axis=axes, keepdims=True)
        y = centred / np.sqrt(variance + self.epsilon) * scale + offset
        return (y.astype(np.float32),)

    def links(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[Link, ...]:
        rank = len(inputs[0].shape)
        links = broadcast_links(inputs, outputs[0])
        # With one axis the mean is over what is left; over several, positions would not be alike.
        first = self.axis % rank
        cut = {first} if first == rank - 1 else set()
        return tuple(link for link in links if link.second[2] < first or link.second[2] in cut)

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        x, scale, offset = values
        rank = len(inputs[0].shape)
        inner = inputs[0].shape[normal_axis(inputs[0].name, self.axis, rank) :]
        y = torch.nn.functional.layer_norm(x, inner, None, None, self.epsilon)
        return (y * scale + offset,)
