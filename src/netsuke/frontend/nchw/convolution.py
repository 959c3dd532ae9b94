"""Convolution and transposed convolution."""

from __future__ import annotations

import numpy as np

from netsuke.frontend.nchw.images import as_planes, from_image, to_image
from netsuke.frontend.nchw.session import Session
from netsuke.frontend.nchw.value import CannotImportError, Value
from netsuke.ops import Conv2d, DepthwiseConv2d, TransposedConv2d
from netsuke.ops.window import Pads


def known(value: Value, role: str) -> Value:
    """The value, if it is a constant.

    Raises
    ------
    CannotImportError
        When it is computed.
    """
    if value.data is None:
        raise CannotImportError(f"the {role} {value.label!r} must be constant")
    return value


def bias_or_zeros(session: Session, bias: Value | None, channels: int) -> Value:
    """The bias as a vector, or zeros."""
    if bias is None:
        return session.constant(f"{session.next_label}.bias", np.zeros(channels, np.float32))
    return session.reshape(known(bias, "bias"), (channels,), None)


def planar(session: Session, weights: Value) -> Value:
    """Weights (k, c, w) or (k, c, h, w) as (k, c, h, w)."""
    if weights.rank == 3:
        k, c, w = weights.shape
        return session.reshape(weights, (k, c, 1, w), None)
    if weights.rank != 4:
        raise CannotImportError(f"has weights {list(weights.shape)}; 1-d and 2-d are supported")
    return weights


def sides(padding: tuple[tuple[int, int], ...]) -> Pads:
    """Padding of one or two axes as ((top, bottom), (left, right))."""
    if len(padding) == 1:
        return (0, 0), padding[0]
    return padding[0], padding[1]


def convolve(
    session: Session,
    x: Value,
    weights: Value,
    bias: Value | None,
    stride: tuple[int, ...],
    padding: tuple[tuple[int, int], ...],
    dilation: tuple[int, ...],
    groups: int,
) -> Value:
    """Cross-correlation of x ``(n, c, [h,] w)`` with weights ``(k, c / groups, [kh,] kw)``."""
    rank = x.rank
    kernel = planar(session, known(weights, "weights"))
    image = to_image(session, x)
    steps, spread, pads = as_planes(stride, 1), as_planes(dilation, 1), sides(padding)
    channels = kernel.shape[0]
    offset = bias_or_zeros(session, bias, channels)
    if groups > 1 and groups == image.shape[3] and kernel.shape[1] == 1:
        kernel = session.transpose(kernel, (2, 3, 0, 1))
        kernel = session.reshape(kernel, kernel.shape[:3], None)
        y = session.emit(DepthwiseConv2d(steps, spread, pads), image, kernel, offset)
    else:
        kernel = session.transpose(kernel, (0, 2, 3, 1))
        y = session.emit(Conv2d(steps, spread, pads, groups), image, kernel, offset)
    return from_image(session, y, rank)


def convolve_transposed(
    session: Session,
    x: Value,
    weights: Value,
    bias: Value | None,
    stride: tuple[int, ...],
    crop: tuple[tuple[int, int], ...],
    dilation: tuple[int, ...],
    extra: tuple[int, ...],
    groups: int,
) -> Value:
    """Transposed convolution of x ``(n, c, [h,] w)`` with weights ``(c, k / groups, [kh,] kw)``."""
    rank = x.rank
    kernel = planar(session, known(weights, "weights"))
    image = to_image(session, x)
    depth, per_group, height, width = kernel.shape
    if groups < 1 or depth % groups:
        raise CannotImportError(f"{groups} groups do not divide {depth} channels")
    inner = depth // groups
    kernel = session.reshape(kernel, (groups, inner, per_group, height, width), None)
    kernel = session.transpose(kernel, (0, 2, 3, 4, 1))
    kernel = session.reshape(kernel, (groups * per_group, height, width, inner), None)
    offset = bias_or_zeros(session, bias, groups * per_group)
    op = TransposedConv2d(
        as_planes(stride, 1), as_planes(dilation, 1), sides(crop), as_planes(extra, 0), groups
    )
    return from_image(session, session.emit(op, image, kernel, offset), rank)
