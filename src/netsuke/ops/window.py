"""Sliding windows over an (h, w, c) image: geometry that convolutions and poolings share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir import Array, Box

Pads = tuple[tuple[int, int], tuple[int, int]]


def output_extent(size: int, kernel: int, stride: int, dilation: int, pad: tuple[int, int]) -> int:
    """floor((size + pads - (kernel - 1)·dilation - 1) / stride) + 1.

    Raises
    ------
    GraphError
        When no window fits.
    """
    reach = (kernel - 1) * dilation + 1
    extent = (size + pad[0] + pad[1] - reach) // stride + 1
    if extent < 1:
        raise GraphError(
            "window", f"a window of {reach} does not fit into {size} + {pad[0]} + {pad[1]} pixels"
        )
    return extent


def same_padding(size: int, kernel: int, stride: int, dilation: int = 1) -> tuple[int, int]:
    """Padding (before, after) for ceil(size / stride) outputs; the odd one goes behind."""
    reach = (kernel - 1) * dilation + 1
    total = max((-(-size // stride) - 1) * stride + reach - size, 0)
    return total // 2, total - total // 2


def resized_padding(
    before: Sequence[int],
    after: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    padding: Pads,
) -> Pads:
    """Padding of windows whose image changes its size from `before` to `after`, (h, w, ...).

    Padding that gave ceil(size / stride) outputs goes on to do so: it stays where it still does,
    so that windows keep their centres, and else becomes `same_padding`. Other padding stays.
    """
    pads = []
    for axis, pad in enumerate(padding):
        given = kernel[axis], stride[axis], dilation[axis]
        lost = _is_same(before[axis], *given, pad) and not _is_same(after[axis], *given, pad)
        pads.append(same_padding(after[axis], *given) if any(pad) and lost else pad)
    return pads[0], pads[1]


def _is_same(size: int, kernel: int, stride: int, dilation: int, pad: tuple[int, int]) -> bool:
    reach = (kernel - 1) * dilation + 1
    return (size + sum(pad) - reach) // stride + 1 == -(-size // stride)


def resized_pool(
    before: Sequence[int], after: Sequence[int], kernel: tuple[int, int], padding: Pads
) -> tuple[int, int]:
    """The window of a pooling at another size: along a side that it covered, it still does."""
    sides = [
        after[axis] if size == before[axis] and not any(padding[axis]) else size
        for axis, size in enumerate(kernel)
    ]
    return sides[0], sides[1]


def added_pads(padding: Pads, borders: Sequence[tuple[int, int]]) -> Pads:
    """Padding and the borders of an image, (vertical, horizontal), as one padding."""
    (top, bottom), (left, right) = (
        (pad[0] + border[0], pad[1] + border[1])
        for pad, border in zip(padding, borders, strict=True)
    )
    return ((top, bottom), (left, right))


def windows(
    image: Array,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    padding: Pads,
    fill: float | int,
) -> Array:
    """Return a read-only view ``(out_h, out_w, kernel_h, kernel_w, c)`` of the padded image."""
    padded = np.pad(image, (*padding, (0, 0)), constant_values=fill)
    reach = tuple((k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True))
    view = np.lib.stride_tricks.sliding_window_view(padded, reach, axis=(0, 1))
    view = view[:: stride[0], :: stride[1], :, :: dilation[0], :: dilation[1]]
    return np.moveaxis(view, 2, 4)


def window_tile(
    image: Sequence[int],
    box: Box,
    kernel: Sequence[int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    padding: Pads,
) -> tuple[Box, Pads] | None:
    """What the windows of a rectangle of outputs read, and how much padding is left around it.

    None when a side of the rectangle sees padding only.
    """
    reads, pads = [], []
    for axis, (start, end) in enumerate(box):
        low = start * stride[axis] - padding[axis][0]
        reach = (kernel[axis] - 1) * dilation[axis] + 1
        high = (end - 1) * stride[axis] - padding[axis][0] + reach
        first, last = max(low, 0), min(high, image[axis])
        if first >= last:
            return None
        reads.append((first, last))
        pads.append((first - low, high - last))
    return (reads[0], reads[1]), (pads[0], pads[1])


def reads_ahead(
    image: Sequence[int],
    output: Sequence[int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    padding: Pads,
) -> bool:
    """Whether there is a pixel n and window n sees none before it, for every n, row by row.

    Then a kernel that writes one output pixel after the other may write over its input, if both
    have the same number of channels and one output channel needs only its own input channel.
    """
    firsts = []
    for axis in (0, 1):
        start = np.arange(output[axis]) * stride[axis] - padding[axis][0]
        taps = np.maximum(-(start // dilation[axis]), 0)
        firsts.append(start + taps * dilation[axis])
    seen = firsts[0][:, None] * image[1] + firsts[1][None, :]
    written = np.arange(output[0])[:, None] * output[1] + np.arange(output[1])[None, :]
    return output[0] * output[1] <= image[0] * image[1] and bool((seen >= written).all())
