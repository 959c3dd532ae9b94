"""The largest pixel of each window."""

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
from netsuke.ops.links import same_positions
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


@dataclass(frozen=True, slots=True)
class MaxPool2d(Op):
    """y[i,j,c] = max over u, v of x[i·s+u·d-p, j·s+v·d-p, c]; padding never wins.

    Attributes
    ----------
    kernel, stride, dilation
        (vertical, horizontal).
    padding
        ((top, bottom), (left, right)) of minus infinity; every window must see a real pixel.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: Pads = ((0, 0), (0, 0))

    rule: ClassVar[QuantRule] = QuantRule(shared=True)

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        if len(x.shape) != 3:
            raise GraphError(x.name, f"max_pool2d takes (h, w, c), not {list(x.shape)}")
        h, w = (
            output_extent(x.shape[i], self.kernel[i], self.stride[i], self.dilation[i], pad)
            for i, pad in enumerate(self.padding)
        )
        for axis, extent in enumerate((h, w)):
            inside = self._taps(x.shape[axis], extent, axis)
            if not inside.any(axis=1).all():
                raise GraphError(
                    x.name, f"the padding {self.padding} leaves a window without pixel"
                )
        return (TensorType((h, w, x.shape[2]), x.dtype),)

    def _taps(self, size: int, extent: int, axis: int) -> Array:
        """(extent, kernel): whether each tap of each window lies inside the image."""
        starts = np.arange(extent)[:, None] * self.stride[axis] - self.padding[axis][0]
        places = starts + np.arange(self.kernel[axis])[None, :] * self.dilation[axis]
        return (places >= 0) & (places < size)

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        (x,) = arrays
        fill = -math.inf if x.dtype == np.float32 else int(np.iinfo(x.dtype).min)
        view = windows(x, self.kernel, self.stride, self.dilation, self.padding, fill)
        return (view.max(axis=(2, 3)),)

    def quantized(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *arrays: Array
    ) -> tuple[Array, ...]:
        same_quant(self.kind, [*inputs, *outputs])
        return self.reference(*arrays)

    def cost(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Cost:
        return Cost(elementary=outputs[0].elements * math.prod(self.kernel))

    def resized(self, before: Sequence[Tensor], after: Sequence[Tensor]) -> Op:
        sizes = before[0].shape, after[0].shape
        kernel = resized_pool(*sizes, self.kernel, self.padding)
        stride = kernel if self.stride == self.kernel else self.stride
        pads = resized_padding(*sizes, kernel, stride, self.dilation, self.padding)
        return replace(self, kernel=kernel, stride=stride, padding=pads)

    def tile(self, inputs: Sequence[Tensor], box: Box) -> Tile | None:
        image, kernel = inputs[0].shape, self.kernel
        found = window_tile(image, box, kernel, self.stride, self.dilation, self.padding)
        return found and Tile(replace(self, padding=found[1]), (found[0],))

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        suffix = {"float32": "f32", "int8": "s8"}.get(inputs[0].dtype)
        if suffix is None:
            raise GraphError(outputs[0].name, f"max_pool2d has no C kernel for {inputs[0].dtype}")
        (in_h, in_w, channels), (out_h, out_w, _) = inputs[0].shape, outputs[0].shape
        parameters = {
            "in_h": in_h,
            "in_w": in_w,
            "out_h": out_h,
            "out_w": out_w,
            "channels": channels,
            "kernel_h": self.kernel[0],
            "kernel_w": self.kernel[1],
            "stride_h": self.stride[0],
            "stride_w": self.stride[1],
            "dilation_h": self.dilation[0],
            "dilation_w": self.dilation[1],
            "pad_top": self.padding[0][0],
            "pad_left": self.padding[1][0],
        }
        inplace = (
            ((0, 0),)
            if reads_ahead(
                inputs[0].shape, outputs[0].shape, self.stride, self.dilation, self.padding
            )
            else ()
        )
        work = self.cost(inputs, outputs).elementary
        portable = Kernel(
            f"nsk_max_pool2d_{suffix}",
            f"max_pool2d/max_pool2d_{suffix}.c",
            "nsk_max_pool2d",
            parameters,
            inplace=inplace,
            instructions=7.0 * work,
        )
        if suffix == "f32":
            return (portable,)
        words, rest = divmod(channels, 4)
        fours = words * (self.kernel[0] * (8.0 * self.kernel[1] + 6) + 16)
        dsp = replace(
            portable,
            function="nsk_max_pool2d_s8_dsp",
            source="max_pool2d/max_pool2d_s8_dsp.c",
            instructions=out_h * out_w * (fours + rest * 7.0 * math.prod(self.kernel) + 75.0),
        )
        wide = vector_forms(portable, isa)
        simple = (*wide, dsp, portable) if "dsp" in isa else (*wide, portable)
        if "mve" not in isa:
            return simple
        vectors = out_h * out_w * -(-channels // 16)
        mve = replace(
            portable,
            function="nsk_max_pool2d_s8_mve",
            source="max_pool2d/max_pool2d_s8_mve.c",
            instructions=vectors * (self.kernel[0] * (5.0 * self.kernel[1] + 5) + 35)
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
        x = torch.nn.functional.pad(
            x.permute(0, 3, 1, 2), (left, right, top, bottom), value=-math.inf
        )
        y = torch.nn.functional.max_pool2d(x, self.kernel, self.stride, 0, self.dilation)
        return (y.permute(0, 2, 3, 1),)
