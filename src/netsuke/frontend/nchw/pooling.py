"""Pooling."""

from __future__ import annotations

import numpy as np

from netsuke.frontend.nchw.images import as_planes, from_image, to_image
from netsuke.frontend.nchw.pointwise import multiply
from netsuke.frontend.nchw.session import Session
from netsuke.frontend.nchw.value import CannotImportError, Value
from netsuke.ops import AveragePool2d, DepthwiseConv2d, MaxPool2d, Pad, ReduceMax, ReduceMean
from netsuke.ops.window import Pads, windows

Padding = tuple[tuple[int, int], ...]


def reach_further(
    size: int, kernel: int, stride: int, dilation: int, pad: tuple[int, int]
) -> tuple[int, int]:
    """Padding with which rounding down gives the number of windows that rounding up would.

    A window that would start beyond the image and its padding in front does not count.
    """
    reach = (kernel - 1) * dilation + 1
    count = -(-(size + sum(pad) - reach) // stride) + 1
    if (count - 1) * stride >= size + pad[0]:
        count -= 1
    return pad[0], max(pad[1], (count - 1) * stride + reach - size - pad[0])


def _geometry(
    x: Value,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
    padding: Padding,
    ceil: bool,
) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int], Pads, Pads]:
    """(kernel, stride, dilation, padding as given, padding that rounding up asks for)."""
    spatial = x.rank - 2
    if not len(kernel) == len(stride) == len(dilation) == len(padding) == spatial:
        raise CannotImportError(f"has a window of {len(kernel)} axes for {list(x.shape)}")
    if min(*kernel, *stride, *dilation) < 1:
        raise CannotImportError(f"has a window {kernel} with steps {stride}, {dilation}")
    if ceil:
        wanted = tuple(
            reach_further(*geometry)
            for geometry in zip(x.shape[2:], kernel, stride, dilation, padding, strict=True)
        )
    else:
        wanted = padding
    given: Pads = ((0, 0), padding[0]) if spatial == 1 else (padding[0], padding[1])
    grown: Pads = ((0, 0), wanted[0]) if spatial == 1 else (wanted[0], wanted[1])
    return as_planes(kernel, 1), as_planes(stride, 1), as_planes(dilation, 1), given, grown


def max_pool(
    session: Session,
    x: Value,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
    padding: Padding,
    ceil: bool = False,
) -> Value:
    """Maximum of windows of x ``(n, c, [h,] w)``; padding never wins."""
    image = to_image(session, x)
    window, steps, spread, _, pads = _geometry(x, kernel, stride, dilation, padding, ceil)
    y = session.emit(MaxPool2d(window, steps, spread, pads), image)
    return from_image(session, y, x.rank)


def average_pool(
    session: Session,
    x: Value,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
    padding: Padding,
    ceil: bool = False,
    include_padding: bool = False,
) -> Value:
    """Mean of windows of x ``(n, c, [h,] w)``.

    `include_padding` counts the given padding as zeros; what rounding up adds never counts.
    """
    image = to_image(session, x)
    window, steps, spread, given, pads = _geometry(x, kernel, stride, dilation, padding, ceil)
    if include_padding and pads != given:
        image = session.emit(Pad((*given, (0, 0))), image)
        pads = _minus(pads, given)
        include_padding = False
    if spread == (1, 1):
        y = session.emit(AveragePool2d(window, steps, pads, include_padding), image)
    else:
        y = _spread_average(session, image, window, steps, spread, pads, include_padding)
    return from_image(session, y, x.rank)


def _minus(pads: Pads, given: Pads) -> Pads:
    (top, bottom), (left, right) = pads
    (first, last), (begin, end) = given
    return (top - first, bottom - last), (left - begin, right - end)


def _spread_average(
    session: Session,
    image: Value,
    window: tuple[int, int],
    steps: tuple[int, int],
    spread: tuple[int, int],
    pads: Pads,
    include_padding: bool,
) -> Value:
    """Average of dilated windows: a depthwise sum, divided by the number of pixels seen."""
    _, height, width, channels = image.shape
    ones = np.ones((*window, channels), np.float32)
    fill = 1.0 if include_padding else 0.0
    seen = windows(np.ones((height, width, 1), np.float32), window, steps, spread, pads, fill).sum(
        axis=(2, 3)
    )
    label = session.next_label
    y = session.emit(
        DepthwiseConv2d(steps, spread, pads),
        image,
        session.constant(f"{label}.ones", ones),
        session.constant(f"{label}.zeros", np.zeros(channels, np.float32)),
    )
    return multiply(session, y, session.constant(f"{label}.share", np.float32(1) / seen))


def global_average_pool(session: Session, x: Value) -> Value:
    """Mean of each channel; the spatial axes stay with extent 1."""
    if x.rank not in (3, 4):
        x = session.hide(x)
        axes = tuple(session.axis(x, axis) for axis in range(2, x.rank))
        return session.emit(ReduceMean(axes, True), x)
    image = to_image(session, x)
    return from_image(session, session.emit(AveragePool2d(_whole(image)), image), x.rank)


def global_max_pool(session: Session, x: Value) -> Value:
    """Maximum of each channel; the spatial axes stay with extent 1."""
    if x.rank not in (3, 4):
        x = session.hide(x)
        axes = tuple(session.axis(x, axis) for axis in range(2, x.rank))
        return session.emit(ReduceMax(axes, True), x)
    image = to_image(session, x)
    return from_image(session, session.emit(MaxPool2d(_whole(image)), image), x.rank)


def _whole(image: Value) -> tuple[int, int]:
    return image.shape[1], image.shape[2]


def adaptive_windows(size: int, outputs: int) -> tuple[int, int]:
    """(kernel, stride) of PyTorch's adaptive pooling when all windows are alike."""
    if outputs < 1 or size % outputs:
        raise CannotImportError(
            f"adaptive pooling of {size} to {outputs} has windows of different sizes"
        )
    return size // outputs, size // outputs
