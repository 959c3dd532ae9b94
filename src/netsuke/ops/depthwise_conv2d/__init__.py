"""Depthwise two-dimensional convolution: every channel by itself, with a depth multiplier."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import (
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
from netsuke.ops.depthwise_conv2d.dsp import dsp_kernels
from netsuke.ops.depthwise_conv2d.mve import mve_kernels
from netsuke.ops.depthwise_conv2d.pairs import pair_kernels
from netsuke.ops.depthwise_conv2d.plane import plane_kernels
from netsuke.ops.depthwise_conv2d.wide import wide_kernels
from netsuke.ops.links import same_positions
from netsuke.ops.lowering import clamped, padded
from netsuke.ops.pairs import slower_kernels
from netsuke.ops.ranges import accumulated_ranges, filters_of
from netsuke.ops.relayout import channels_of_weights
from netsuke.ops.requant import Requant, channel_requant
from netsuke.ops.window import (
    Pads,
    added_pads,
    output_extent,
    reads_ahead,
    resized_padding,
    window_tile,
    windows,
)


@dataclass(frozen=True, slots=True)
class DepthwiseConv2d(Op):
    """y[i,j,k] = clamp(b[k] + Σ w[u,v,k] · x[i·s+u·d-p, j·s+v·d-p, k // m]).

    Inputs: x ``(h, w, c)``, weights ``(kernel_h, kernel_w, c·m)``, bias ``(c·m,)``.

    Attributes
    ----------
    stride, dilation
        (vertical, horizontal).
    padding
        ((top, bottom), (left, right)), filled with real zero.
    low, high
        Fused clamp (a ReLU is ``low=0``).
    """

    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: Pads = ((0, 0), (0, 0))
    low: float = -math.inf
    high: float = math.inf

    rule: ClassVar[QuantRule] = QuantRule(weights={1: 2}, bias=2)

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        x, weights, bias = inputs
        if len(x.shape) != 3 or len(weights.shape) != 3:
            raise GraphError(
                x.name, f"depthwise takes (h, w, c) and 3-d weights, not {x.shape}, {weights.shape}"
            )
        k = weights.shape[2]
        if x.shape[2] < 1 or k < 1 or k % x.shape[2] or bias.shape != (k,):
            raise GraphError(
                x.name,
                f"depthwise weights {list(weights.shape)} and bias {list(bias.shape)} do not "
                f"match {x.shape[2]} channels",
            )
        h, w = (
            output_extent(x.shape[i], weights.shape[i], self.stride[i], self.dilation[i], pad)
            for i, pad in enumerate(self.padding)
        )
        return (TensorType((h, w, k), x.dtype),)

    def _accumulate(self, x: Array, weights: Array) -> Array:
        """Σ w · x, without bias, in the arrays' own type."""
        kernel_h, kernel_w, k = weights.shape
        view = windows(x, (kernel_h, kernel_w), self.stride, self.dilation, self.padding, 0)
        multiplier = k // x.shape[2]
        total = np.zeros((*view.shape[:2], k), np.result_type(x, weights))
        for u in range(kernel_h):
            for v in range(kernel_w):
                total += np.repeat(view[:, :, u, v], multiplier, axis=2) * weights[u, v]
        return total

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        x, weights, bias = arrays
        return (np.clip(self._accumulate(x, weights) + bias, self.low, self.high),)

    def requant(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Requant:
        return channel_requant(inputs, outputs[0], 2, self.low, self.high)

    def quantized(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *arrays: Array
    ) -> tuple[Array, ...]:
        x, weights, bias = arrays
        requant = self.requant(inputs, outputs)
        assert inputs[1].quant is not None
        centred = x.astype(np.int64) - requant.input_zero
        kernel = weights.astype(np.int64) - inputs[1].quant.zero_point[0]
        return (requant.apply(self._accumulate(centred, kernel) + bias),)

    def cost(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Cost:
        return Cost(macs=outputs[0].elements * math.prod(inputs[1].shape[:2]))

    def _geometry(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> dict[str, Any]:
        (in_h, in_w, in_c), (out_h, out_w, out_c) = inputs[0].shape, outputs[0].shape
        return {
            "in_h": in_h,
            "in_w": in_w,
            "in_c": in_c,
            "out_h": out_h,
            "out_w": out_w,
            "out_c": out_c,
            "kernel_h": inputs[1].shape[0],
            "kernel_w": inputs[1].shape[1],
            "stride_h": self.stride[0],
            "stride_w": self.stride[1],
            "dilation_h": self.dilation[0],
            "dilation_w": self.dilation[1],
            "pad_top": self.padding[0][0],
            "pad_left": self.padding[1][0],
        }

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        macs = self.cost(inputs, outputs).macs
        geometry = self._geometry(inputs, outputs)
        inplace = (
            ((0, 0),)
            if inputs[0].shape[2] == outputs[0].shape[2]
            and reads_ahead(
                inputs[0].shape, outputs[0].shape, self.stride, self.dilation, self.padding
            )
            else ()
        )
        if inputs[0].dtype == "float32":
            return (
                Kernel(
                    "nsk_depthwise_conv2d_f32",
                    "depthwise_conv2d/depthwise_conv2d_f32.c",
                    "nsk_depthwise_conv2d_real",
                    {**geometry, "low": self.low, "high": self.high},
                    inplace=inplace,
                    instructions=5.0 * macs + 40.0 * outputs[0].elements,
                ),
            )
        requant = self.requant(inputs, outputs)
        assert inputs[1].quant is not None
        zero = {"weight_zero": inputs[1].quant.zero_point[0]}
        portable = Kernel(
            "nsk_depthwise_conv2d_s8",
            "depthwise_conv2d/depthwise_conv2d_s8.c",
            "nsk_depthwise_conv2d",
            {**geometry, **requant.parameters(), **zero},
            inplace=inplace,
            instructions=6.5 * macs + 55.0 * outputs[0].elements,
        )
        plane = plane_kernels(geometry, requant, inputs, outputs, isa)
        mve = mve_kernels(geometry, requant, inputs, outputs, isa)
        wide = wide_kernels(geometry, requant, inputs, isa)
        dsp = dsp_kernels(geometry, requant, inputs, outputs, isa)
        pairs = pair_kernels(geometry, requant, inputs, outputs, isa)
        slower = slower_kernels((*plane, portable), outputs[0].elements, isa)
        return (*mve, *wide, *dsp, *pairs, *slower)

    def padded(self, borders: Sequence[tuple[int, int]], value: float) -> Op | None:
        if value != 0.0 or borders[2] != (0, 0):
            return None
        return replace(self, padding=added_pads(self.padding, borders[:2]))

    def resized(self, before: Sequence[Tensor], after: Sequence[Tensor]) -> Op:
        sizes, kernel = (before[0].shape, after[0].shape), after[1].shape[:2]
        pads = resized_padding(*sizes, kernel, self.stride, self.dilation, self.padding)
        return replace(self, padding=pads)

    def tile(self, inputs: Sequence[Tensor], box: Box) -> Tile | None:
        kernel, image = inputs[1].shape[:2], inputs[0].shape
        found = window_tile(image, box, kernel, self.stride, self.dilation, self.padding)
        return found and Tile(replace(self, padding=found[1]), (found[0], None, None))

    def weight_inputs(self, inputs: Sequence[Tensor]) -> Array | None:
        (_, _, channels), outputs = inputs[0].shape, inputs[1].shape[2]
        return channels_of_weights(outputs, 2, 3) * channels // outputs

    def links(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[Link, ...]:
        k = inputs[1].shape[2]
        multiplier = k // inputs[0].shape[2]
        links = same_positions(("out", 0, 2), ("in", 1, 2), ("in", 2, 0))
        return (
            *links,
            Link(("in", 0, 2), ("in", 1, 2), (np.arange(k) // multiplier, np.arange(k))),
        )

    def value_ranges(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], known: Sequence[Range]
    ) -> tuple[Range, ...] | None:
        taps = filters_of(inputs[1], 2), inputs[0].shape[2], any(map(any, self.padding))
        return accumulated_ranges(self, *taps, inputs, outputs, known)

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        x, weights, bias = values
        x, padding = padded(torch, x.permute(0, 3, 1, 2), self.padding)
        filters = weights.permute(2, 0, 1).unsqueeze(1)
        y = torch.nn.functional.conv2d(
            x, filters, bias, self.stride, padding, self.dilation, inputs[0].shape[2]
        )
        return (clamped(torch, y.permute(0, 2, 3, 1), self.low, self.high),)
