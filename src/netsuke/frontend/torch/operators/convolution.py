"""Convolution, pooling, resampling and batch normalization."""

from __future__ import annotations

from typing import Any

import numpy as np

from netsuke.frontend.nchw import pooling
from netsuke.frontend.nchw.convolution import convolve, convolve_transposed
from netsuke.frontend.nchw.reduction import batch_norm as normalize
from netsuke.frontend.nchw.resize import resize
from netsuke.frontend.nchw.value import CannotImportError, Value
from netsuke.frontend.torch.registry import Call, converts
from netsuke.ops.window import same_padding

Padding = tuple[tuple[int, int], ...]


def _padding(
    call: Call, x: Value, kernel: tuple[int, ...], steps: tuple[int, ...], spread: tuple[int, ...]
) -> Padding:
    given: Any = call.get("padding", 0)
    if given == "valid":
        return ((0, 0),) * len(kernel)
    if given == "same":
        geometry = zip(x.shape[2:], kernel, steps, spread, strict=True)
        return tuple(same_padding(*entry) for entry in geometry)
    return tuple((p, p) for p in call.integers("padding", len(kernel)))


def _conv(call: Call, transposed: bool) -> Value:
    x, weights, bias = call["input"], call["weight"], call.get("bias")
    spatial = weights.rank - 2
    if x.rank != spatial + 2:
        raise CannotImportError(f"takes a batch of images, not {list(x.shape)}")
    steps = call.integers("stride", spatial)
    spread = call.integers("dilation", spatial)
    groups = int(call.get("groups", 1))
    if not transposed:
        pads = _padding(call, x, weights.shape[2:], steps, spread)
        return convolve(call.session, x, weights, bias, steps, pads, spread, groups)
    crop = tuple((p, p) for p in call.integers("padding", spatial))
    extra = call.integers("output_padding", spatial)
    return convolve_transposed(call.session, x, weights, bias, steps, crop, spread, extra, groups)


@converts("conv1d", "conv2d")
def conv(call: Call) -> Value:
    return _conv(call, transposed=False)


@converts("conv_transpose1d", "conv_transpose2d")
def conv_transpose(call: Call) -> Value:
    return _conv(call, transposed=True)


@converts("convolution")
def convolution(call: Call) -> Value:
    return _conv(call, transposed=bool(call["transposed"]))


@converts("batch_norm", "_native_batch_norm_legit_no_training")
def batch_norm(call: Call) -> tuple[Value, ...]:
    if call.get("training", False):
        raise CannotImportError("is in training mode")
    x, s = call["input"], call.session
    mean, variance = call.get("running_mean"), call.get("running_var")
    if mean is None or variance is None:
        raise CannotImportError("has no running statistics")
    channels = x.shape[1]
    scale = call.get("weight") or s.constant("scale", np.ones(channels, np.float32))
    offset = call.get("bias") or s.constant("offset", np.zeros(channels, np.float32))
    return (normalize(s, x, (scale, offset, mean, variance), float(call["eps"])),)


def _window(call: Call, spatial: int) -> tuple[tuple[int, ...], tuple[int, ...], Padding]:
    kernel = call.integers("kernel_size", spatial)
    stride = call.integers("stride", spatial) if call.get("stride") else kernel
    pads = tuple((p, p) for p in call.integers("padding", spatial))
    return kernel, stride, pads


def _spatial(call: Call) -> int:
    return call.x.rank - 2


@converts("max_pool1d", "max_pool2d", "max_pool2d_with_indices")
def max_pool(call: Call) -> tuple[Value, ...]:
    spatial = _spatial(call)
    kernel, stride, pads = _window(call, spatial)
    spread = call.integers("dilation", spatial)
    ceil = bool(call.get("ceil_mode", False))
    return (pooling.max_pool(call.session, call.x, kernel, stride, spread, pads, ceil),)


@converts("avg_pool1d", "avg_pool2d")
def average_pool(call: Call) -> Value:
    if call.get("divisor_override") is not None:
        raise CannotImportError("overrides its divisor")
    spatial = _spatial(call)
    kernel, stride, pads = _window(call, spatial)
    return pooling.average_pool(
        call.session,
        call.x,
        kernel,
        stride,
        (1,) * spatial,
        pads,
        bool(call.get("ceil_mode", False)),
        bool(call.get("count_include_pad", True)),
    )


@converts("adaptive_avg_pool1d", "adaptive_avg_pool2d", "_adaptive_avg_pool2d")
def adaptive_average_pool(call: Call) -> Value:
    kernel = _adaptive(call)
    none = ((0, 0),) * len(kernel)
    return pooling.average_pool(call.session, call.x, kernel, kernel, (1,) * len(kernel), none)


@converts("adaptive_max_pool1d", "adaptive_max_pool2d")
def adaptive_max_pool(call: Call) -> tuple[Value, ...]:
    kernel = _adaptive(call)
    none = ((0, 0),) * len(kernel)
    return (pooling.max_pool(call.session, call.x, kernel, kernel, (1,) * len(kernel), none),)


def _adaptive(call: Call) -> tuple[int, ...]:
    spatial = _spatial(call)
    sizes = call.integers("output_size", spatial)
    return tuple(
        pooling.adaptive_windows(size, wanted)[0]
        for size, wanted in zip(call.x.shape[2:], sizes, strict=True)
    )


def _sizes(call: Call) -> tuple[int, ...]:
    spatial = _spatial(call)
    given = call.get("output_size") or call.get("size")
    if given:
        return tuple(int(extent) for extent in given)
    scales = call.get("scale_factors")
    if not scales:
        raise CannotImportError("has neither size nor scale")
    sizes = []
    for extent, scale in zip(call.x.shape[2:], scales, strict=True):
        if (extent * scale) % 1:
            raise CannotImportError(f"scales {extent} pixels by {scale:g}")
        sizes.append(int(extent * scale))
    if len(sizes) != spatial:
        raise CannotImportError(f"has {len(sizes)} scales for {spatial} axes")
    return tuple(sizes)


@converts("upsample_nearest1d", "upsample_nearest2d")
def upsample_nearest(call: Call) -> Value:
    return resize(call.session, call.x, _sizes(call), "nearest", "asymmetric", "floor")


@converts("upsample_linear1d", "upsample_bilinear2d")
def upsample_bilinear(call: Call) -> Value:
    corners = bool(call.get("align_corners", False))
    coordinates = "align_corners" if corners else "half_pixel"
    return resize(call.session, call.x, _sizes(call), "bilinear", coordinates)


@converts("channel_shuffle")
def channel_shuffle(call: Call) -> Value:
    s, groups = call.session, int(call["groups"])
    x = s.hide(call.x)
    n, c, *image = x.shape
    if groups < 1 or c % groups:
        raise CannotImportError(f"{groups} groups do not divide {c} channels")
    parts = s.reshape(x, (n, groups, c // groups, *image), 0)
    order = (0, 2, 1, *range(3, parts.rank))
    return s.reshape(s.transpose(parts, order), x.shape, 0)
