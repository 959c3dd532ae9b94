"""The position of the maximum along one axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import Array, Axes, Cost, Kernel, Op, Relayout, Tensor, TensorType
from netsuke.ops.broadcast import normal_axis
from netsuke.ops.relayout import permuted_axis
from netsuke.ops.rows import row_parameters
from netsuke.ops.unary import require_quants


@dataclass(frozen=True, slots=True)
class ArgMax(Op):
    """y = the position of the maximum along one axis of one sample, as int32.

    Attributes
    ----------
    axis
        Axis of one sample.
    keepdims
        The axis stays, with extent 1.
    last
        Of several equal maxima take the last instead of the first.
    """

    axis: int = -1
    keepdims: bool = False
    last: bool = False

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        axis = normal_axis(x.name, self.axis, len(x.shape))
        kept = (1,) if self.keepdims else ()
        return (TensorType((*x.shape[:axis], *kept, *x.shape[axis + 1 :]), "int32"),)

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        (x,) = arrays
        if not self.last:
            y = np.argmax(x, axis=self.axis, keepdims=self.keepdims)
            return (np.asarray(y, np.int32),)
        behind = np.argmax(np.flip(x, self.axis), axis=self.axis, keepdims=self.keepdims)
        return (np.asarray(x.shape[self.axis] - 1 - behind, np.int32),)

    def quantized(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *arrays: Array
    ) -> tuple[Array, ...]:
        require_quants(outputs[0], inputs[0])
        return self.reference(*arrays)

    def cost(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Cost:
        return Cost(elementary=inputs[0].elements)

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        suffix = {"float32": "f32", "int8": "s8"}.get(inputs[0].dtype)
        if suffix is None:
            raise GraphError(inputs[0].name, f"arg_max has no kernel for {inputs[0].dtype}")
        return (
            Kernel(
                f"nsk_arg_max_{suffix}",
                f"arg_max/arg_max_{suffix}.c",
                "nsk_arg_max",
                {**row_parameters(inputs[0], self.axis), "last": int(self.last)},
                instructions=6.0 * inputs[0].elements,
            ),
        )

    def permuted(self, inputs: Sequence[Tensor], axes: Axes) -> Relayout | None:
        return permuted_axis(self, axes, self.axis, removed=not self.keepdims)

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        axis = normal_axis(inputs[0].name, self.axis, len(inputs[0].shape))
        x = torch.flip(values[0], (axis + 1,)) if self.last else values[0]
        y = torch.argmax(x, axis + 1, keepdim=self.keepdims)
        return ((x.shape[axis + 1] - 1 - y if self.last else y).to(torch.int32),)
