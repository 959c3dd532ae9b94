"""Convolution and transposed convolution."""

from __future__ import annotations

from netsuke.frontend.nchw.convolution import convolve, convolve_transposed
from netsuke.frontend.nchw.value import CannotImportError, Value
from netsuke.frontend.onnx.registry import Call, converts
from netsuke.ops.window import same_padding

Padding = tuple[tuple[int, int], ...]


def window_steps(call: Call, spatial: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """(strides, dilations) of a window."""
    strides = call.integers("strides") or (1,) * spatial
    dilations = call.integers("dilations") or (1,) * spatial
    if len(strides) != spatial or len(dilations) != spatial or min(*strides, *dilations) < 1:
        raise CannotImportError(f"has strides {strides} and dilations {dilations}")
    return strides, dilations


def window_padding(call: Call, x: Value, kernel: tuple[int, ...]) -> Padding:
    """Padding (before, after) of each spatial axis, from `pads` or `auto_pad`."""
    spatial = len(kernel)
    if x.rank != spatial + 2 or min(kernel) < 1:
        raise CannotImportError(f"has a window {kernel} for {list(x.shape)}")
    mode = call.attribute("auto_pad", "NOTSET")
    if mode in ("SAME_UPPER", "SAME_LOWER"):
        strides, dilations = window_steps(call, spatial)
        pairs = [
            same_padding(*geometry)
            for geometry in zip(x.shape[2:], kernel, strides, dilations, strict=True)
        ]
        return tuple(pair[::-1] if mode == "SAME_LOWER" else pair for pair in pairs)
    if mode == "VALID":
        return ((0, 0),) * spatial
    if mode not in ("NOTSET", ""):
        raise CannotImportError(f"has auto_pad {mode!r}")
    pads = call.integers("pads") or (0,) * (2 * spatial)
    if len(pads) != 2 * spatial or min(pads) < 0:
        raise CannotImportError(f"has pads {pads}")
    return tuple(zip(pads[:spatial], pads[spatial:], strict=True))


@converts("Conv")
def conv(call: Call) -> Value:
    x, weights = call[0], call[1]
    kernel = weights.shape[2:]
    if not kernel:
        raise CannotImportError(f"has weights {list(weights.shape)}")
    strides, dilations = window_steps(call, len(kernel))
    padding = window_padding(call, x, kernel)
    groups = call.integer("group", 1)
    if groups < 1 or weights.shape[0] % groups or weights.shape[1] * groups != x.shape[1]:
        raise CannotImportError(
            f"has weights {list(weights.shape)} in {groups} group(s) for {x.shape[1]} channels"
        )
    bias = call.optional(2)
    return convolve(call.session, x, weights, bias, strides, padding, dilations, groups)


@converts("ConvTranspose")
def conv_transpose(call: Call) -> Value:
    x, weights = call[0], call[1]
    kernel = weights.shape[2:]
    spatial = len(kernel)
    if not spatial or x.rank != spatial + 2:
        raise CannotImportError(f"has weights {list(weights.shape)} for {list(x.shape)}")
    strides, dilations = window_steps(call, spatial)
    extra = call.integers("output_padding") or (0,) * spatial
    crop, extra = _crop(call, x, kernel, strides, dilations, extra)
    return convolve_transposed(
        call.session,
        x,
        weights,
        call.optional(2),
        strides,
        crop,
        dilations,
        extra,
        call.integer("group", 1),
    )


def _crop(
    call: Call,
    x: Value,
    kernel: tuple[int, ...],
    strides: tuple[int, ...],
    dilations: tuple[int, ...],
    extra: tuple[int, ...],
) -> tuple[Padding, tuple[int, ...]]:
    """What is cut off the full result, and what is added behind it."""
    mode = call.attribute("auto_pad", "NOTSET")
    wanted = call.integers("output_shape")
    if wanted is None and mode in ("SAME_UPPER", "SAME_LOWER"):
        wanted = tuple(size * step for size, step in zip(x.shape[2:], strides, strict=True))
    if wanted is None:
        return (((0, 0),) * len(kernel) if mode == "VALID" else _pads(call, len(kernel))), extra
    crop, grown = [], []
    for size, k, step, spread, more, target in zip(
        x.shape[2:], kernel, strides, dilations, extra, wanted[-len(kernel) :], strict=True
    ):
        total = step * (size - 1) + more + (k - 1) * spread + 1 - target
        half = max(total, 0) // 2
        rest = max(total, 0) - half
        # An odd rest is cut off in front unless SAME_UPPER is asked for, with output_shape too.
        crop.append((half, rest) if mode == "SAME_UPPER" else (rest, half))
        grown.append(more + max(-total, 0))
    return tuple(crop), tuple(grown)


def _pads(call: Call, spatial: int) -> Padding:
    pads = call.integers("pads") or (0,) * (2 * spatial)
    if len(pads) != 2 * spatial:
        raise CannotImportError(f"has pads {pads}")
    return tuple(zip(pads[:spatial], pads[spatial:], strict=True))
