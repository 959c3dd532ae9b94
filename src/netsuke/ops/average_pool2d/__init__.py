"""The mean of each window."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from netsuke.errors import GraphError, QuantizationError
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
from netsuke.ops.fixed_point import clamp_bounds
from netsuke.ops.links import same_positions
from netsuke.ops.lowering import clamped
from netsuke.ops.movement import same_quant
from netsuke.ops.ranges import rising_ranges
from netsuke.ops.wide import vector_forms
from netsuke.ops.window import (
    Pads,
    output_extent,
    reads_ahead,
    resized_padding,
    resized_pool,
    window_tile,
    windows,
)

LARGEST_WINDOW = 1 << 23
"""Pixels of a window whose int8 sum surely fits into int32."""

LARGEST_MVE_WINDOW = 256
"""Pixels of a window whose int8 sum surely fits into int16."""

LARGEST_WINDOW = 1 << 16
"""Pixels up to which the kernels on vectors divide exactly, in single precision."""
LARGEST_DSP_WINDOW = 255
"""Pixels of a window whose int8 sum surely fits into int16, whichever sign it has."""


@dataclass(frozen=True, slots=True)
class AveragePool2d(Op):
    """y[i,j,c] = clamp(mean over u, v of x[i·s+u-p, j·s+v-p, c]).

    Integers are averaged as they are stored, rounded half away from zero (TensorFlow Lite's rule).

    Attributes
    ----------
    kernel, stride
        (vertical, horizontal); a kernel of the image's size is global pooling.
    padding
        ((top, bottom), (left, right)).
    include_padding
        Whether padding counts as pixels of real zero; otherwise only real pixels are averaged.
    low, high
        Fused clamp.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: Pads = ((0, 0), (0, 0))
    include_padding: bool = False
    low: float = -math.inf
    high: float = math.inf

    rule: ClassVar[QuantRule] = QuantRule(shared=True)

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        if len(x.shape) != 3:
            raise GraphError(x.name, f"average_pool2d takes (h, w, c), not {list(x.shape)}")
        h, w = (
            output_extent(x.shape[i], self.kernel[i], self.stride[i], 1, pad)
            for i, pad in enumerate(self.padding)
        )
        if not self.include_padding and not self._counts(x.shape, (h, w)).all():
            raise GraphError(x.name, f"the padding {self.padding} leaves a window without pixel")
        return (TensorType((h, w, x.shape[2]), x.dtype),)

    def _counts(self, image: Sequence[int], output: Sequence[int]) -> Array:
        """(out_h, out_w, 1): the real pixels of each window."""
        sides = []
        for axis in (0, 1):
            start = np.arange(output[axis]) * self.stride[axis] - self.padding[axis][0]
            stop = np.minimum(start + self.kernel[axis], image[axis])
            sides.append(np.maximum(stop - np.maximum(start, 0), 0))
        return (sides[0][:, None] * sides[1][None, :])[:, :, None]

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        (x,) = arrays
        view = windows(x, self.kernel, self.stride, (1, 1), self.padding, 0.0)
        counts: Array = np.array(math.prod(self.kernel))
        if not self.include_padding:
            counts = self._counts(x.shape, view.shape)
        mean = view.sum(axis=(2, 3), dtype=np.float32) / counts.astype(np.float32)
        return (np.clip(mean, self.low, self.high),)

    def quantized(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *arrays: Array
    ) -> tuple[Array, ...]:
        low, high, zero = self._integers(inputs, outputs)
        (x,) = arrays
        fill = zero if self.include_padding else 0
        view = windows(x.astype(np.int64), self.kernel, self.stride, (1, 1), self.padding, fill)
        total = view.sum(axis=(2, 3))
        count = (
            np.array(math.prod(self.kernel))
            if self.include_padding
            else self._counts(x.shape, view.shape)
        )
        magnitude = (np.abs(total) + count // 2) // count
        return (np.clip(np.sign(total) * magnitude, low, high).astype(np.int8),)

    def _integers(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]
    ) -> tuple[int, int, int]:
        """Stored bounds of the clamp, and the zero point."""
        same_quant(self.kind, [*inputs, *outputs])
        quant = outputs[0].quant
        if quant is None or outputs[0].dtype != "int8":
            raise QuantizationError(outputs[0].name, "average_pool2d needs quantized int8")
        if math.prod(self.kernel) > LARGEST_WINDOW:
            raise QuantizationError(
                outputs[0].name,
                f"windows of {math.prod(self.kernel):,} pixels could overflow int32, at most "
                f"{LARGEST_WINDOW:,}; pool in two steps",
            )
        return (*clamp_bounds(self.low, self.high, quant), quant.zero_point[0])

    def cost(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Cost:
        return Cost(elementary=outputs[0].elements * math.prod(self.kernel))

    def resized(self, before: Sequence[Tensor], after: Sequence[Tensor]) -> Op:
        sizes = before[0].shape, after[0].shape
        kernel = resized_pool(*sizes, self.kernel, self.padding)
        stride = kernel if self.stride == self.kernel else self.stride
        pads = resized_padding(*sizes, kernel, stride, (1, 1), self.padding)
        return replace(self, kernel=kernel, stride=stride, padding=pads)

    def tile(self, inputs: Sequence[Tensor], box: Box) -> Tile | None:
        image, kernel = inputs[0].shape, self.kernel
        found = window_tile(image, box, kernel, self.stride, (1, 1), self.padding)
        return found and Tile(replace(self, padding=found[1]), (found[0],))

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        (in_h, in_w, channels), (out_h, out_w, _) = inputs[0].shape, outputs[0].shape
        geometry = {
            "in_h": in_h,
            "in_w": in_w,
            "out_h": out_h,
            "out_w": out_w,
            "channels": channels,
            "kernel_h": self.kernel[0],
            "kernel_w": self.kernel[1],
            "stride_h": self.stride[0],
            "stride_w": self.stride[1],
            "pad_top": self.padding[0][0],
            "pad_left": self.padding[1][0],
            "include_padding": int(self.include_padding),
        }
        inplace = (
            ((0, 0),)
            if reads_ahead(inputs[0].shape, outputs[0].shape, self.stride, (1, 1), self.padding)
            else ()
        )
        work = self.cost(inputs, outputs).elementary
        if inputs[0].dtype == "float32":
            return (
                Kernel(
                    "nsk_average_pool2d_f32",
                    "average_pool2d/average_pool2d_f32.c",
                    "nsk_average_pool2d_real",
                    {**geometry, "low": self.low, "high": self.high},
                    inplace=inplace,
                    instructions=8.0 * work,
                ),
            )
        low, high, zero = self._integers(inputs, outputs)
        portable = Kernel(
            "nsk_average_pool2d_s8",
            "average_pool2d/average_pool2d_s8.c",
            "nsk_average_pool2d",
            {**geometry, "zero": zero, "low": low, "high": high},
            inplace=inplace,
            instructions=3.0 * work + 30.0 * outputs[0].elements,
        )
        words, rest = divmod(channels, 4)
        fours = words * (self.kernel[0] * (7.5 * self.kernel[1] + 6) + 62)
        dsp = replace(
            portable,
            function="nsk_average_pool2d_s8_dsp",
            source="average_pool2d/average_pool2d_s8_dsp.c",
            instructions=out_h
            * out_w
            * (fours + rest * (7.0 * math.prod(self.kernel) + 15) + 60.0),
        )
        lanes = "dsp" in isa and math.prod(self.kernel) <= LARGEST_DSP_WINDOW
        wide = vector_forms(portable, isa) if math.prod(self.kernel) <= LARGEST_WINDOW else ()
        simple = (*wide, dsp, portable) if lanes else (*wide, portable)
        if "mve" not in isa or math.prod(self.kernel) > LARGEST_MVE_WINDOW:
            return simple
        vectors = out_h * out_w * -(-channels // 8)
        mve = replace(
            portable,
            function="nsk_average_pool2d_s8_mve",
            source="average_pool2d/average_pool2d_s8_mve.c",
            instructions=vectors * (self.kernel[0] * (5.0 * self.kernel[1] + 4) + 30)
            + 13.0 * outputs[0].elements
            + 60.0 * out_h * out_w,
        )
        return (mve, *simple)

    def links(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[Link, ...]:
        return same_positions(("in", 0, 2), ("out", 0, 2))

    def value_ranges(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], known: Sequence[Range]
    ) -> tuple[Range, ...] | None:
        return rising_ranges(self, inputs, outputs, known)

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        (x,) = values
        (top, bottom), (left, right) = self.padding
        x = torch.nn.functional.pad(x.permute(0, 3, 1, 2), (left, right, top, bottom))
        y = torch.nn.functional.avg_pool2d(x, self.kernel, self.stride).permute(0, 2, 3, 1)
        if not self.include_padding:
            counts = self._counts(inputs[0].shape, y.shape[1:3])
            ratio = (math.prod(self.kernel) / counts).astype(np.float32)
            y = y * torch.as_tensor(ratio, device=y.device)
        return (clamped(torch, y, self.low, self.high),)
