"""Borders added to a tensor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import ITEMSIZE, Array, Axes, Kernel, Link, Op, Relayout, Tensor, TensorType, View
from netsuke.ops.movement import Movement, same_quant
from netsuke.ops.relayout import permuted_fields

MODES = ("constant", "reflect", "edge", "symmetric", "wrap")
"""NumPy's names; ``reflect`` leaves the border element out, ``symmetric`` repeats it."""

AXES = 8
"""Most axes that the C kernel can hold after merging; ``NSK_PAD_AXES`` in C."""


@dataclass(frozen=True, slots=True)
class Pad(Movement):
    """y = x with borders.

    Attributes
    ----------
    padding
        (before, after) of each axis, not negative.
    value
        What a constant border holds, as a real number: integers get its stored form.
    mode
        One of `MODES`.
    """

    padding: tuple[tuple[int, int], ...]
    value: float = 0.0
    mode: str = "constant"

    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        (x,) = inputs
        if self.mode not in MODES:
            raise GraphError(x.name, f"pad has no mode {self.mode!r}, only {', '.join(MODES)}")
        if len(self.padding) != len(x.shape) or any(p < 0 for pair in self.padding for p in pair):
            raise GraphError(
                x.name, f"pad cannot add {self.padding} to {list(x.shape)}; crop with slice"
            )
        for pair, extent in zip(self.padding, x.shape, strict=True):
            if max(pair) > self._reach(extent):
                raise GraphError(
                    x.name,
                    f"{self.mode} padding {pair} is too wide for an axis of {extent} elements",
                )
        shape = (b + n + a for (b, a), n in zip(self.padding, x.shape, strict=True))
        return (TensorType(tuple(shape), x.dtype),)

    def _reach(self, extent: int) -> float:
        """Widest border that one axis can fill."""
        if self.mode == "constant":
            return math.inf
        if self.mode == "edge":
            return math.inf if extent else 0
        return extent - (self.mode == "reflect") if extent else 0

    def _padded(self, x: Array, value: float | int) -> Array:
        if self.mode == "constant":
            return np.pad(x, self.padding, constant_values=value)
        return np.pad(x, self.padding, mode=self.mode)  # type: ignore[call-overload]

    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        (x,) = arrays
        return (self._padded(x, self._stored(x.dtype.name)),)

    def _stored(self, dtype: str) -> float | int:
        if dtype != "float32":
            return int(self.value)
        # C has no portable literal for infinities: they become the largest float.
        limit = float(np.finfo(np.float32).max)
        return min(max(self.value, -limit), limit)

    def _fill(self, x: Tensor) -> Array:
        """The border's element, in the tensor's own type."""
        if x.quant is None:
            return np.array([self._stored(x.dtype)], x.dtype)
        return x.quant.quantize(np.array([self.value], np.float32)).astype(x.dtype)

    def quantized(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *arrays: Array
    ) -> tuple[Array, ...]:
        same_quant(self.kind, [*inputs, *outputs])
        return (self._padded(arrays[0], self._fill(inputs[0])[0]),)

    def _merged(self, shape: Sequence[int]) -> tuple[list[int], list[tuple[int, int]], int]:
        """Extents and borders without the unpadded axes at the end, and the elements of those."""
        extents: list[int] = []
        borders: list[tuple[int, int]] = []
        run = 1
        for extent, pair in zip(reversed(shape), reversed(self.padding), strict=True):
            if pair != (0, 0):
                extents.insert(0, extent)
                borders.insert(0, pair)
            elif not extents:
                run *= extent
            elif borders[0] == (0, 0):
                extents[0] *= extent
            else:
                extents.insert(0, extent)
                borders.insert(0, pair)
        return extents or [1], borders or [(0, 0)], run

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        (x,), (y,) = inputs, outputs
        extents, borders, run = self._merged(x.shape)
        if len(extents) > AXES:
            raise GraphError(y.name, f"pads {len(extents)} axes, at most {AXES} are served")
        name = "constant" if self.mode == "constant" else "mirror"
        parameters: dict[str, int | float | Array] = {
            "rank": len(extents),
            "run": run * ITEMSIZE[x.dtype],
            "shape": np.array(extents, np.int32),
            "before": np.array([pair[0] for pair in borders], np.int32),
            "after": np.array([pair[1] for pair in borders], np.int32),
        }
        if self.mode == "constant":
            parameters["size"] = ITEMSIZE[x.dtype]
            parameters["fill"] = self._fill(x)
        else:
            parameters["mode"] = MODES.index(self.mode)
        return (
            Kernel(
                f"nsk_pad_{name}_any",
                f"pad/pad_{name}_any.c",
                f"nsk_pad_{name}",
                parameters,
                instructions=4.0 * y.elements + 1.0 * y.size,
            ),
        )

    def permuted(self, inputs: Sequence[Tensor], axes: Axes) -> Relayout | None:
        return permuted_fields(self, axes, {"padding": self.padding})

    def links(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[Link, ...]:
        links: list[Link] = []
        for axis, (extent, (before, after)) in enumerate(
            zip(inputs[0].shape, self.padding, strict=True)
        ):
            if before == after == 0:
                links.append(Link(("in", 0, axis), ("out", 0, axis)))
            elif self.mode == "constant" and (before == after or min(before, after) == 0):
                inner = np.arange(extent)
                links.append(Link(("in", 0, axis), ("out", 0, axis), (inner, before + inner)))
                left, right = np.arange(before), before + extent + np.arange(after)
                # What is left of two borders must still be two equal ones, or `cut` could not
                # tell from the shapes how wide each of them is.
                ties = (left, right) if before == after else (np.r_[left, right],) * 2
                links.append(Link(("out", 0, axis), ("out", 0, axis), ties))
        return tuple(links)

    def cut(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Op:
        padding = []
        for (before, after), inner, outer in zip(
            self.padding, inputs[0].shape, outputs[0].shape, strict=True
        ):
            total = outer - inner
            if before == after:
                padding.append((total // 2, total // 2))
            elif min(before, after) == 0:
                padding.append((total, 0) if before else (0, total))
            else:
                padding.append((before, after))
        return replace(self, padding=tuple(padding))

    def views(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[View, ...]:
        if any(pair != (0, 0) for pair in self.padding):
            return ()
        return (View(("out", 0), ("in", 0), 0),)

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        (x,) = values
        shift = not inputs[0].is_constant
        for axis, (pair, extent) in enumerate(zip(self.padding, inputs[0].shape, strict=True)):
            if pair == (0, 0):
                continue
            if self.mode == "constant":
                flat = [0, 0] * (len(inputs[0].shape) - 1 - axis) + list(pair)
                x = torch.nn.functional.pad(x, flat, value=self.value)
            else:
                picks = torch.as_tensor(
                    np.pad(np.arange(extent), pair, mode=self.mode),  # type: ignore[call-overload]
                    device=x.device,
                )
                x = x.index_select(axis + shift, picks)
        return (x,)
