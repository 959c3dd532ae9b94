"""What kernels of ONNX Runtime take from the arena beside their outputs, on 64-bit Arm.

A float convolution that is not pointwise has a working buffer a thread. One of integers has a path
by its shape (QLinearConv in the runtime's source, with the packing rule of MLAS for Arm): where the
symmetric kernel can run, only a table of pointers; else sums of 32 bits for one image, and the
image laid out in columns unless the convolution is pointwise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

WORKSPACE = 64 << 10
"""Bytes of a float convolution's working buffer a thread (MLAS)."""
SYMMETRIC_INPUTS, SYMMETRIC_MULTIPLE = 64, 8
"""Input channels from which, and what both channel counts must be multiples of, that MLAS takes its
symmetric integer kernel on Arm."""
POINTER = 8


def workspaces(
    node: Any,
    weights: Mapping[str, tuple[int, ...]],
    sizes: Mapping[str, int],
    images: int,
    threads: int = 1,
) -> tuple[int, ...]:
    """Bytes of each buffer that a node's kernel takes while it runs.

    Parameters
    ----------
    node
        An ``onnx.NodeProto``.
    weights
        Constant -> its shape.
    sizes
        Tensor -> bytes.
    images
        Samples at once.
    """
    if node.op_type in ("Conv", "FusedConv"):
        kernel = _integers(node, "kernel_shape", [1])
        return () if math.prod(kernel) == 1 else (WORKSPACE * threads,)
    if node.op_type == "QLinearConv" and node.input[3] in weights:
        return _integer_convolution(node, weights[node.input[3]], sizes, images)
    return ()


def _integer_convolution(
    node: Any, shape: tuple[int, ...], sizes: Mapping[str, int], images: int
) -> tuple[int, ...]:
    """Of (outputs, inputs of a group, height, width) weights; activations have one byte."""
    channels, inputs, window = shape[0], shape[1], math.prod(shape[2:])
    groups = _integers(node, "group", [1])[0]
    made = sizes.get(node.output[0], 0) // images
    positions = made // channels
    depthwise = groups > 1 and inputs == 1 and channels == groups
    pointwise = window == 1 and _in_place(node)
    taken = []
    symmetric = _is_symmetric(groups, channels, inputs, window)
    if not symmetric:
        taken.append(4 * made)
    if not _integers(node, "channels_last", [0])[0]:
        taken += [sizes.get(node.input[0], 0) // images, made]
    if depthwise or (symmetric and not pointwise):
        taken.append(POINTER * window * positions)
    elif not pointwise:
        taken.append(inputs * window * positions)
    return tuple(size for size in taken if size)


def _is_symmetric(groups: int, channels: int, inputs: int, window: int) -> bool:
    """Whether MLAS has a kernel that turns sums into bytes at once, for signed weights."""
    if groups > 1:
        return inputs == 1 and channels == groups and groups % SYMMETRIC_MULTIPLE == 0
    fits = inputs % SYMMETRIC_MULTIPLE == 0 and channels % SYMMETRIC_MULTIPLE == 0
    return window > 1 and inputs >= SYMMETRIC_INPUTS and fits


def _in_place(node: Any) -> bool:
    """Whether a pointwise convolution reads its input as it lies: stride 1, no border."""
    strides, pads = _integers(node, "strides", [1]), _integers(node, "pads", [0])
    return all(stride == 1 for stride in strides) and not any(pads)


def _integers(node: Any, name: str, default: list[int]) -> list[int]:
    """An attribute as integers."""
    for attribute in node.attribute:
        if attribute.name == name:
            return list(attribute.ints) or [int(attribute.i)]
    return default
