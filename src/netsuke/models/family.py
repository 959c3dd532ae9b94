"""What a family of networks is to the zoo."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from netsuke.ir import Graph
from netsuke.spec import Options

SHARED = {
    "classes": "number of classes",
    "seed": "of the initial weights (0)",
    "softmax": "whether the output is probabilities instead of scores (no)",
}
"""Options that every family has."""


@dataclass(frozen=True, slots=True)
class Family:
    """Networks of one kind.

    Attributes
    ----------
    name, what
        Key in the zoo, and a line of description.
    options
        Option -> what it does, beyond `SHARED`.
    build
        Makes a float graph with initial weights.
    """

    name: str
    what: str
    options: Mapping[str, str]
    build: Callable[[Options], Graph]


def image_shape(options: Options, default: tuple[int, int, int]) -> tuple[int, int, int]:
    """(height, width, channels) from the options ``size`` and ``channels``."""
    height, width, channels = default
    size = options.extents("size", (height, width)) or (height, width)
    if len(size) == 1:
        size = (size[0], size[0])
    return size[0], size[1], options.integer("channels", channels, 1, 4096)


def scaled(channels: int, width: float) -> int:
    """Channels times a width, rounded, at least one."""
    return max(1, round(channels * width))


def multiple(channels: float, divisor: int = 8) -> int:
    """The nearest multiple of a divisor that is not more than a tenth smaller.

    Examples
    --------
    >>> [multiple(channels) for channels in (3, 11.2, 44, 132)]
    [8, 16, 48, 136]
    """
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded
