"""Two-dimensional convolution (cross-correlation), with groups, dilation and any padding."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import (
    Addends,
    Array,
    Box,
    Cost,
    Kernel,
    Link,
    Op,
    QuantRule,
    Range,
    Tensor,
    TensorType,
    Tile,
)
from netsuke.ops.conv2d.dsp import dsp_kernels
from netsuke.ops.conv2d.folded import folded_kernels
from netsuke.ops.conv2d.mve import mve_kernels
from netsuke.ops.conv2d.pairs import pair_kernels
from netsuke.ops.conv2d.sparse import sparse_kernels
from netsuke.ops.conv2d.wide import wide_kernels
from netsuke.ops.links import grouped_links
from netsuke.ops.lowering import clamped, padded
from netsuke.ops.pairs import slower_kernels
from netsuke.ops.ranges import accumulated_ranges, filters_of, fixed_addends
from netsuke.ops.relayout import channels_of_weights
from netsuke.ops.requant import Requant, channel_requant
from netsuke.ops.window import (
    Pads,
    added_pads,
    output_extent,
    resized_padding,
    window_tile,
    windows,
)

NARROW = 8
"""Input channels below which PyTorch is not asked for a 1 x 1 convolution with a stride."""


@dataclass(frozen=True, slots=True)
class Conv2d(Op):
    """y[i,j,k] = clamp(b[k] + Σ w[k,u,v,c] · x[i·s+u·d-p, j·s+v·d-p, c]).

    Inputs: x ``(h, w, c)``, weights ``(k, kernel_h, kernel_w, c / groups)``, bias ``(k,)``.

    Attributes
    ----------
    stride, dilation
        (vertical, horizontal).
    padding
        ((top, bottom), (left, right)), filled with real zero.
    groups
        Channels are split into so many independent convolutions.
    low, high
        Fused clamp (a ReLU is ``low=0``).
    """

    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: Pads = ((0, 0), (0, 0))
    groups: int = 1
    low: float = -math.inf
    high: float = math.inf

    rule: ClassVar[QuantRule] = QuantRule(weights={1: 0}, bias=2)

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        x, weights, bias = inputs
        if len(x.shape) != 3 or len(weights.shape) != 4:
            raise GraphError(x.name, f"conv2d takes (h, w, c) and 4-d weights, not {x.shape}")
        k, depth = weights.shape[0], weights.shape[3]
        if depth * self.groups != x.shape[2] or k % self.groups or bias.shape != (k,):
            raise GraphError(
                x.name,
                f"conv2d weights {list(weights.shape)} with {self.groups} group(s) and bias "
                f"{list(bias.shape)} do not match {x.shape[2]} channels",
            )
        h, w = (
            output_extent(x.shape[i], weights.shape[1 + i], self.stride[i], self.dilation[i], pad)
            for i, pad in enumerate(self.padding)
        )
        return (TensorType((h, w, k), x.dtype),)

    def _accumulate(self, x: Array, weights: Array, fill: int = 0) -> Array:
        """Σ w · x, without bias; in float32 or exactly in float64 for integers."""
        k, kernel_h, kernel_w, depth = weights.shape
        view = windows(x, (kernel_h, kernel_w), self.stride, self.dilation, self.padding, fill)
        h, w = view.shape[:2]
        per_group = k // self.groups
        parts = []
        for group in range(self.groups):
            columns = view[..., group * depth : (group + 1) * depth].reshape(h * w, -1)
            rows = weights[group * per_group : (group + 1) * per_group].reshape(per_group, -1)
            parts.append(columns @ rows.T)
        return np.concatenate(parts, axis=1).reshape(h, w, k)

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        x, weights, bias = arrays
        return (np.clip(self._accumulate(x, weights) + bias, self.low, self.high),)

    def requant(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Requant:
        return channel_requant(inputs, outputs[0], 0, self.low, self.high)

    def quantized(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *arrays: Array
    ) -> tuple[Array, ...]:
        x, weights, bias = arrays
        requant = self.requant(inputs, outputs)
        assert inputs[1].quant is not None
        # float64 holds every partial sum exactly (below 2^53) and is far faster than int64.
        centred = x.astype(np.float64) - requant.input_zero
        kernel = weights.astype(np.float64) - inputs[1].quant.zero_point[0]
        return (requant.apply(self._accumulate(centred, kernel).astype(np.int64) + bias),)

    def cost(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Cost:
        return Cost(macs=outputs[0].elements * math.prod(inputs[1].shape[1:]))

    def _geometry(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> dict[str, Any]:
        (in_h, in_w, in_c), (out_h, out_w, out_c) = inputs[0].shape, outputs[0].shape
        return {
            "in_h": in_h,
            "in_w": in_w,
            "in_c": in_c,
            "out_h": out_h,
            "out_w": out_w,
            "out_c": out_c,
            "kernel_h": inputs[1].shape[1],
            "kernel_w": inputs[1].shape[2],
            "stride_h": self.stride[0],
            "stride_w": self.stride[1],
            "dilation_h": self.dilation[0],
            "dilation_w": self.dilation[1],
            "pad_top": self.padding[0][0],
            "pad_left": self.padding[1][0],
            "groups": self.groups,
        }

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        macs = self.cost(inputs, outputs).macs
        geometry = self._geometry(inputs, outputs)
        if inputs[0].dtype == "float32":
            return (
                Kernel(
                    "nsk_conv2d_f32",
                    "conv2d/conv2d_f32.c",
                    "nsk_conv2d_real",
                    {**geometry, "low": self.low, "high": self.high},
                    instructions=3.5 * macs + 40.0 * outputs[0].elements,
                ),
            )
        requant = self.requant(inputs, outputs)
        assert inputs[1].quant is not None
        parameters = {
            **geometry,
            **requant.parameters(),
            "weight_zero": inputs[1].quant.zero_point[0],
        }
        portable = folded_kernels(parameters, requant, inputs, outputs) or (
            Kernel(
                "nsk_conv2d_s8",
                "conv2d/conv2d_s8.c",
                "nsk_conv2d",
                parameters,
                instructions=6.0 * macs + 30.0 * outputs[0].elements,
            ),
        )
        families = (mve_kernels, wide_kernels, dsp_kernels, pair_kernels, sparse_kernels)
        node = geometry, requant, inputs, outputs, isa
        special = (kernel for family in families for kernel in family(*node))
        return (*special, *slower_kernels(portable, outputs[0].elements, isa))

    def padded(self, borders: Sequence[tuple[int, int]], value: float) -> Op | None:
        if value != 0.0 or borders[2] != (0, 0):
            return None
        return replace(self, padding=added_pads(self.padding, borders[:2]))

    def resized(self, before: Sequence[Tensor], after: Sequence[Tensor]) -> Op:
        sizes, kernel = (before[0].shape, after[0].shape), after[1].shape[1:3]
        pads = resized_padding(*sizes, kernel, self.stride, self.dilation, self.padding)
        return replace(self, padding=pads)

    def tile(self, inputs: Sequence[Tensor], box: Box) -> Tile | None:
        kernel, image = inputs[1].shape[1:3], inputs[0].shape
        found = window_tile(image, box, kernel, self.stride, self.dilation, self.padding)
        return found and Tile(replace(self, padding=found[1]), (found[0], None, None))

    def weight_inputs(self, inputs: Sequence[Tensor]) -> Array | None:
        outputs, _, _, depth = inputs[1].shape
        group = np.arange(outputs) * self.groups // outputs
        return (group * depth).reshape(-1, 1, 1, 1) + channels_of_weights(depth, 3, 4)

    def links(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[Link, ...]:
        return grouped_links(inputs, self.groups)

    def value_ranges(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], known: Sequence[Range]
    ) -> tuple[Range, ...] | None:
        taps = filters_of(inputs[1]), self.groups, any(map(any, self.padding))
        return accumulated_ranges(self, *taps, inputs, outputs, known)

    def addends(self, inputs: Sequence[Tensor], known: Sequence[Range]) -> Addends | None:
        return fixed_addends(
            filters_of(inputs[1]), self.groups, any(map(any, self.padding)), inputs, known
        )

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        x, weights, bias = values
        x, padding = padded(torch, x.permute(0, 3, 1, 2), self.padding)
        stride = self.stride
        if tuple(weights.shape[1:3]) == (1, 1) and x.shape[1] < NARROW and not any(padding):
            # With a stride, the gradient of such a convolution corrupts the heap in PyTorch 2.13
            # on x86-64 (seen with 4 and 5 channels: the process dies); taking pixels does not.
            x, stride = x[:, :, :: stride[0], :: stride[1]], (1, 1)
        y = torch.nn.functional.conv2d(
            x, weights.permute(0, 3, 1, 2), bias, stride, padding, self.dilation, self.groups
        )
        return (clamped(torch, y.permute(0, 2, 3, 1), self.low, self.high),)
