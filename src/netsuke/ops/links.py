"""Links between axes that several operators have: which positions can only be cut together."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from netsuke.ir import Link, Slot, Tensor


def same_positions(*slots: Slot) -> tuple[Link, ...]:
    """Each position belongs to the same position of all these axes."""
    return tuple(Link(slots[0], slot) for slot in slots[1:])


def broadcast_links(inputs: Sequence[Tensor], output: Tensor) -> tuple[Link, ...]:
    """An operator that broadcasts: axes line up from the back, extents of 1 stay free."""
    links = []
    for number, tensor in enumerate(inputs):
        missing = len(output.shape) - len(tensor.shape)
        for axis, extent in enumerate(tensor.shape):
            if extent == output.shape[axis + missing]:
                links.append(Link(("in", number, axis), ("out", 0, axis + missing)))
    return tuple(links)


def other_axes_links(inputs: Sequence[Tensor], output: Tensor, axis: int) -> tuple[Link, ...]:
    """Activations that are alike but for one axis: the other axes belong together."""
    return tuple(
        Link(("in", number, other), ("out", 0, other))
        for number, tensor in enumerate(inputs)
        for other in range(len(tensor.shape))
        if other != axis % len(tensor.shape)
    )


def grouped_links(inputs: Sequence[Tensor], groups: int) -> tuple[Link, ...]:
    """A convolution with weights ``(k, kernel_h, kernel_w, c / groups)`` and a bias.

    With several groups each must lose the same channels, so that they stay equally large.
    """
    depth, out_channels = inputs[1].shape[3], inputs[1].shape[0]
    links = same_positions(("out", 0, 2), ("in", 1, 0), ("in", 2, 0))
    if groups == 1:
        return (*links, Link(("in", 0, 2), ("in", 1, 3)))
    channels = np.arange(depth * groups)
    filters, each = np.arange(out_channels), out_channels // groups
    return (
        *links,
        Link(("in", 0, 2), ("in", 1, 3), (channels, channels % depth)),
        Link(("out", 0, 2), ("out", 0, 2), (filters, filters % each)),
    )


def reshape_links(source: Sequence[int], target: Sequence[int]) -> tuple[Link, ...]:
    """A reshape: neighbouring axes with equal products belong together.

    Where several axes become one (a flattened image), or one becomes several, positions belong
    to the last of the several, the channels; the others stay whole.
    """
    links = []
    for left, right in equal_products(source, target):
        if not left or not right:
            continue
        extent = math.prod(source[axis] for axis in left)
        inner, outer = source[left[-1]], target[right[-1]]
        positions, first, second = np.arange(extent), ("in", 0, left[-1]), ("out", 0, right[-1])
        if len(left) == len(right) == 1 or (len(left) > 1 < len(right) and inner == outer):
            links.append(Link(first, second))
        elif len(right) == 1:
            links.append(Link(first, second, (positions % inner, positions)))
        elif len(left) == 1:
            links.append(Link(first, second, (positions, positions % outer)))
    return tuple(links)


def equal_products(
    source: Sequence[int], target: Sequence[int]
) -> list[tuple[list[int], list[int]]]:
    """The smallest groups of neighbouring axes with equal products, without extents of 1."""
    left = [axis for axis, extent in enumerate(source) if extent != 1]
    right = [axis for axis, extent in enumerate(target) if extent != 1]
    groups: list[tuple[list[int], list[int]]] = []
    while left and right:
        a, b = [left.pop(0)], [right.pop(0)]
        while (size := math.prod(source[i] for i in a)) != (
            wanted := math.prod(target[i] for i in b)
        ):
            more = left if size < wanted else right
            if not more:
                return groups
            (a if size < wanted else b).append(more.pop(0))
        groups.append((a, b))
    return groups
