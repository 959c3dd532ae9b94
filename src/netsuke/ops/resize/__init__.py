"""Images of another size: nearest neighbour and bilinear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import ITEMSIZE, Array, Kernel, Link, Op, Tensor, TensorType
from netsuke.ops.links import same_positions
from netsuke.ops.movement import Movement, same_quant

COORDINATES = ("asymmetric", "half_pixel", "align_corners", "pytorch_half_pixel")
ROUNDINGS = ("floor", "round_prefer_floor", "round_prefer_ceil", "ceil")


@dataclass(frozen=True, slots=True)
class Resize(Movement):
    """y[i, j] = x at row r(i) and column r(j), the nearest pixel or between the four around it.

    With n pixels in and m out, r(i) is ::

        asymmetric          i·n/m
        half_pixel          (i + 1/2)·n/m - 1/2
        align_corners       i·(n - 1)/(m - 1), 0 for m = 1
        pytorch_half_pixel  as half_pixel, 0 for m = 1

    clamped to the image.

    Attributes
    ----------
    size
        (height, width) of the output.
    mode
        ``"nearest"`` or ``"bilinear"``.
    coordinates
        One of the four above.
    rounding
        How `mode` nearest rounds r: ``"floor"``, ``"ceil"``, or to nearest with ties down
        (``"round_prefer_floor"``) or up (``"round_prefer_ceil"``).
    """

    size: tuple[int, int]
    mode: str = "nearest"
    coordinates: str = "asymmetric"
    rounding: str = "floor"

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        if len(x.shape) != 3 or min(*x.shape, *self.size) < 1:
            raise GraphError(
                x.name, f"resize takes an (h, w, c) image to {self.size}, not {list(x.shape)}"
            )
        for value, known in (
            (self.mode, ("nearest", "bilinear")),
            (self.coordinates, COORDINATES),
            (self.rounding, ROUNDINGS),
        ):
            if value not in known:
                raise GraphError(x.name, f"resize knows {', '.join(known)}, not {value!r}")
        return (TensorType((*self.size, x.shape[2]), x.dtype),)

    def resized(self, before: Sequence[Tensor], after: Sequence[Tensor]) -> Op:
        extents = zip(self.size, before[0].shape, after[0].shape, strict=False)
        height, width = (max(1, round(size * new / old)) for size, old, new in extents)
        return replace(self, size=(height, width))

    def positions(self, inner: int, outer: int) -> Array:
        """r(0), ..., r(outer - 1) in float32, not yet clamped."""
        i = np.arange(outer, dtype=np.float32)
        if self.coordinates == "align_corners":
            return i * np.float32((inner - 1) / (outer - 1) if outer > 1 else 0.0)
        scale = np.float32(inner) / np.float32(outer)
        if self.coordinates == "asymmetric":
            return i * scale
        if self.coordinates == "pytorch_half_pixel" and outer == 1:
            return np.zeros(1, np.float32)
        half = np.float32(0.5)
        return (i + half) * scale - half

    def nearest(self, inner: int, outer: int) -> Array:
        """The nearest pixel of each output pixel along one axis."""
        r = self.positions(inner, outer).astype(np.float64)
        rounded = {
            "floor": np.floor(r),
            "ceil": np.ceil(r),
            "round_prefer_floor": np.ceil(r - 0.5),
            "round_prefer_ceil": np.floor(r + 0.5),
        }[self.rounding]
        return np.clip(rounded, 0, inner - 1).astype(np.int32)

    def between(self, inner: int, outer: int) -> tuple[Array, Array, Array]:
        """The pixels around each output pixel along one axis and the upper one's weight."""
        r = np.clip(self.positions(inner, outer), 0, inner - 1).astype(np.float32)
        lower = np.floor(r).astype(np.int32)
        return (
            lower,
            np.minimum(lower + 1, inner - 1).astype(np.int32),
            r - lower.astype(np.float32),
        )

    def between_fixed(self, inner: int, outer: int) -> tuple[Array, Array, Array]:
        """As `between`, with weights in 1/1024, by TensorFlow Lite's integer arithmetic."""
        i = np.arange(outer, dtype=np.int64)
        if self.coordinates == "align_corners" and outer > 1:
            scale = ((inner - 1 << 10) + (outer - 1) // 2) // (outer - 1)
        else:
            scale = ((inner << 10) + outer // 2) // outer
        r = i * scale
        if self.coordinates.endswith("half_pixel"):
            r += scale // 2 - (1 << 9)
        if self.coordinates == "pytorch_half_pixel" and outer == 1:
            r = np.zeros(1, np.int64)
        lower = np.maximum(np.trunc(r / (1 << 10)).astype(np.int64), 0)
        upper = np.minimum(np.trunc((r + (1 << 10) - 1) / (1 << 10)).astype(np.int64), inner - 1)
        weight = np.where(lower == upper, 0, r - (lower << 10))
        return lower.astype(np.int32), upper.astype(np.int32), weight.astype(np.int32)

    def _nearest(self, x: Array) -> Array:
        rows = self.nearest(x.shape[0], self.size[0])
        columns = self.nearest(x.shape[1], self.size[1])
        return x[rows[:, None], columns[None, :]]

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        (x,) = arrays
        if self.mode == "nearest":
            return (self._nearest(x),)
        top, bottom, down = self.between(x.shape[0], self.size[0])
        left, right, along = self.between(x.shape[1], self.size[1])
        u, v = down[:, None, None], along[None, :, None]
        one = np.float32(1)
        upper = x[top[:, None], left] * (one - v) + x[top[:, None], right] * v
        lower = x[bottom[:, None], left] * (one - v) + x[bottom[:, None], right] * v
        return (upper * (one - u) + lower * u,)

    def quantized(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *arrays: Array
    ) -> tuple[Array, ...]:
        same_quant(self.kind, [*inputs, *outputs])
        (x,) = arrays
        if self.mode == "nearest":
            return (self._nearest(x),)
        top, bottom, down = self.between_fixed(x.shape[0], self.size[0])
        left, right, along = self.between_fixed(x.shape[1], self.size[1])
        u, v = down[:, None, None].astype(np.int64), along[None, :, None].astype(np.int64)
        wide = x.astype(np.int64)
        total = (
            wide[top[:, None], left] * (1024 - u) * (1024 - v)
            + wide[bottom[:, None], left] * u * (1024 - v)
            + wide[top[:, None], right] * (1024 - u) * v
            + wide[bottom[:, None], right] * u * v
        )
        half = np.where(total > 0, 1 << 19, -(1 << 19))
        return (np.trunc((total + half) / (1 << 20)).astype(x.dtype),)

    def _tables(self, inputs: Sequence[Tensor], names: Sequence[str]) -> dict[str, Array]:
        """The positions along both axes, as tables for flash."""
        make = {
            "nearest": lambda n, m: (self.nearest(n, m),),
            "float": self.between,
            "fixed": self.between_fixed,
        }[names[0]]
        rows, columns = (make(inputs[0].shape[axis], self.size[axis]) for axis in (0, 1))
        return dict(zip(names[1:], (*rows, *columns), strict=True))

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        (x,), (y,) = inputs, outputs
        (in_h, in_w, channels), (out_h, out_w) = x.shape, self.size
        size = {"in_w": in_w, "out_h": out_h, "out_w": out_w}
        if max(in_h, in_w) > 1 << 16:
            raise GraphError(y.name, f"resizes {in_h} x {in_w} pixels, at most 65,536 a side")
        if self.mode == "nearest":
            tables: dict[str, Array] = {
                "rows": self.nearest(in_h, out_h).astype(np.uint16),
                "columns": self.nearest(in_w, out_w).astype(np.uint16),
            }
            return (
                Kernel(
                    "nsk_resize_nearest_any",
                    "resize/resize_nearest_any.c",
                    "nsk_resize_nearest",
                    {**size, "run": channels * ITEMSIZE[x.dtype], **tables},
                    instructions=1.0 * y.size + 20.0 * out_h * out_w,
                ),
            )
        suffix = {"float32": "f32", "int8": "s8"}.get(x.dtype)
        if suffix is None:
            raise GraphError(y.name, f"bilinear resize has no C kernel for {x.dtype}")
        real = suffix == "f32"
        between = self.between if real else self.between_fixed
        rows, columns = between(in_h, out_h), between(in_w, out_w)
        kind = np.float32 if real else np.uint16
        return (
            Kernel(
                f"nsk_resize_bilinear_{suffix}",
                f"resize/resize_bilinear_{suffix}.c",
                "nsk_resize_bilinear_real" if real else "nsk_resize_bilinear",
                {
                    **size,
                    "channels": channels,
                    "top": rows[0].astype(np.uint16),
                    "bottom": rows[1].astype(np.uint16),
                    "left": columns[0].astype(np.uint16),
                    "right": columns[1].astype(np.uint16),
                    "down": rows[2].astype(kind),
                    "along": columns[2].astype(kind),
                },
                instructions=20.0 * y.elements,
            ),
        )

    def links(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[Link, ...]:
        return same_positions(("in", 0, 2), ("out", 0, 2))

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        (x,) = values
        axis = int(not inputs[0].is_constant)
        for along in (0, 1):
            inner, outer = inputs[0].shape[along], self.size[along]

            def pick(table: Array, x: Any = x, along: int = along) -> Any:
                return x.index_select(along + axis, torch.as_tensor(table, device=x.device))

            if self.mode == "nearest":
                x = pick(self.nearest(inner, outer))
                continue
            low, high, weight = self.between(inner, outer)
            shape = (-1, 1, 1) if along == 0 else (-1, 1)
            u = torch.as_tensor(weight, device=x.device).reshape(shape)
            x = pick(low) * (1 - u) + pick(high) * u
        return (x,)
