"""Transposed two-dimensional convolution: every input pixel paints a kernel onto the output."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import Addends, Array, Cost, Kernel, Link, Op, QuantRule, Range, Tensor, TensorType
from netsuke.ops.links import grouped_links
from netsuke.ops.lowering import clamped
from netsuke.ops.ranges import accumulated_ranges, filters_of, fixed_addends
from netsuke.ops.relayout import channels_of_weights
from netsuke.ops.requant import Requant, channel_requant
from netsuke.ops.transposed_conv2d.dsp import dsp_kernels
from netsuke.ops.window import Pads


@dataclass(frozen=True, slots=True)
class TransposedConv2d(Op):
    """y[i·s + u·d - p, j·s + v·d - p, k] += w[k,u,v,c] · x[i,j,c], from b[k]; then clamp.

    Inputs: x ``(h, w, c)``, weights ``(k, kernel_h, kernel_w, c / groups)``, bias ``(k,)``. The
    output has (in - 1)·stride - crop + (kernel - 1)·dilation + 1 + output_padding pixels.

    Attributes
    ----------
    stride, dilation
        (vertical, horizontal).
    padding
        ((top, bottom), (left, right)) that is cropped from the full result.
    output_padding
        (bottom, right) pixels added to the output; the kernel may reach into them.
    groups
        Channels are split into so many independent convolutions.
    low, high
        Fused clamp (a ReLU is ``low=0``).
    """

    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: Pads = ((0, 0), (0, 0))
    output_padding: tuple[int, int] = (0, 0)
    groups: int = 1
    low: float = -math.inf
    high: float = math.inf

    rule: ClassVar[QuantRule] = QuantRule(weights={1: 0}, bias=2)

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        x, weights, bias = inputs
        if len(x.shape) != 3 or len(weights.shape) != 4:
            raise GraphError(
                x.name, f"transposed_conv2d takes (h, w, c) and 4-d weights, not {x.shape}"
            )
        k, depth = weights.shape[0], weights.shape[3]
        if depth * self.groups != x.shape[2] or k % self.groups or bias.shape != (k,):
            raise GraphError(
                x.name,
                f"transposed_conv2d weights {list(weights.shape)} with {self.groups} group(s) and "
                f"bias {list(bias.shape)} do not match {x.shape[2]} channels",
            )
        h, w = (self._full(x.shape[i], weights.shape[1 + i], i) for i in (0, 1))
        h, w = h - sum(self.padding[0]), w - sum(self.padding[1])
        if h < 1 or w < 1:
            raise GraphError(x.name, f"the crop {self.padding} leaves {h} x {w} pixels")
        return (TensorType((h, w, k), x.dtype),)

    def _full(self, size: int, kernel: int, axis: int) -> int:
        """Extent of the result before the crop."""
        reach = (kernel - 1) * self.dilation[axis] + 1
        return (size - 1) * self.stride[axis] + reach + self.output_padding[axis]

    def _accumulate(self, x: Array, weights: Array) -> Array:
        """Σ w · x, without bias, in the arrays' own type."""
        (in_h, in_w, _), (k, kernel_h, kernel_w, depth) = x.shape, weights.shape
        full = (self._full(in_h, kernel_h, 0), self._full(in_w, kernel_w, 1))
        total = np.zeros((*full, k), np.result_type(x, weights))
        per_group = k // self.groups
        for group in range(self.groups):
            part = x[..., group * depth : (group + 1) * depth]
            units = slice(group * per_group, (group + 1) * per_group)
            for u in range(kernel_h):
                for v in range(kernel_w):
                    top, left = u * self.dilation[0], v * self.dilation[1]
                    rows = slice(top, top + (in_h - 1) * self.stride[0] + 1, self.stride[0])
                    columns = slice(left, left + (in_w - 1) * self.stride[1] + 1, self.stride[1])
                    total[rows, columns, units] += part @ weights[units, u, v].T
        (top, bottom), (left, right) = self.padding
        return total[top : full[0] - bottom, left : full[1] - right]

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
        pixels = math.prod(inputs[0].shape[:2])
        return Cost(macs=pixels * inputs[1].elements)

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        (in_h, in_w, in_c), (out_h, out_w, out_c) = inputs[0].shape, outputs[0].shape
        geometry = {
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
            "crop_top": self.padding[0][0],
            "crop_left": self.padding[1][0],
            "step_h": self.stride[0] // math.gcd(self.stride[0], self.dilation[0]),
            "step_w": self.stride[1] // math.gcd(self.stride[1], self.dilation[1]),
            "groups": self.groups,
        }
        macs = self.cost(inputs, outputs).macs
        if inputs[0].dtype == "float32":
            return (
                Kernel(
                    "nsk_transposed_conv2d_f32",
                    "transposed_conv2d/transposed_conv2d_f32.c",
                    "nsk_transposed_conv2d_real",
                    {**geometry, "low": self.low, "high": self.high},
                    instructions=8.0 * macs + 40.0 * outputs[0].elements,
                ),
            )
        requant = self.requant(inputs, outputs)
        assert inputs[1].quant is not None
        zero = {"weight_zero": inputs[1].quant.zero_point[0]}
        return (
            *dsp_kernels(geometry, requant, inputs, outputs, isa),
            Kernel(
                "nsk_transposed_conv2d_s8",
                "transposed_conv2d/transposed_conv2d_s8.c",
                "nsk_transposed_conv2d",
                {**geometry, **requant.parameters(), **zero},
                instructions=6.0 * macs + 60.0 * outputs[0].elements,
            ),
        )

    def weight_inputs(self, inputs: Sequence[Tensor]) -> Array | None:
        outputs, _, _, depth = inputs[1].shape
        group = np.arange(outputs) * self.groups // outputs
        return (group * depth).reshape(-1, 1, 1, 1) + channels_of_weights(depth, 3, 4)

    def links(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[Link, ...]:
        return grouped_links(inputs, self.groups)

    def value_ranges(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], known: Sequence[Range]
    ) -> tuple[Range, ...] | None:
        taps = filters_of(inputs[1]), self.groups, True
        return accumulated_ranges(self, *taps, inputs, outputs, known)

    def addends(self, inputs: Sequence[Tensor], known: Sequence[Range]) -> Addends | None:
        return fixed_addends(filters_of(inputs[1]), self.groups, True, inputs, known)

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        x, weights, bias = values
        k, kernel_h, kernel_w, depth = inputs[1].shape
        # PyTorch wants (c, k / groups, h, w).
        filters = weights.reshape(self.groups, k // self.groups, kernel_h, kernel_w, depth)
        filters = filters.permute(0, 4, 1, 2, 3).reshape(-1, k // self.groups, kernel_h, kernel_w)
        y = torch.nn.functional.conv_transpose2d(
            x.permute(0, 3, 1, 2), filters, None, self.stride, 0, 0, self.groups, self.dilation
        )
        y = torch.nn.functional.pad(y, (0, self.output_padding[1], 0, self.output_padding[0]))
        (top, bottom), (left, right) = self.padding
        y = y.permute(0, 2, 3, 1)[:, top : y.shape[2] - bottom, left : y.shape[3] - right]
        return (clamped(torch, y + bias, self.low, self.high),)
