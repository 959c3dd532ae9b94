"""MobileNet V2."""

from __future__ import annotations

from netsuke.ir import Graph
from netsuke.models.family import Family, image_shape, multiple
from netsuke.models.layers import Layers
from netsuke.spec import Options

BLOCKS = (
    *((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)),
    *((6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)),
)
"""(expansion t, channels c, repetitions n, stride s of the first): the paper's table 2."""


def _block(layers: Layers, x: str, expansion: int, channels: int, stride: int) -> str:
    """Inverted residual with a linear bottleneck (table 1 and figure 4)."""
    depth, y = layers.shape(x)[2], x
    if expansion != 1:
        y = layers.relu(layers.norm(layers.conv(y, expansion * depth, (1, 1))), 6.0)
    y = layers.relu(layers.norm(layers.depthwise(y, (3, 3), (stride, stride))), 6.0)
    y = layers.norm(layers.conv(y, channels, (1, 1)))
    return layers.add(x, y) if stride == 1 and depth == channels else y


def _build(options: Options) -> Graph:
    """Seventeen inverted residuals (Sandler et al. 2018, arXiv:1801.04381, table 2).

    Channels are rounded to multiples of 8 as in the authors' code; the last layer never shrinks.
    """
    width = options.number("width", 1.0, 0.01, 4.0)
    layers = Layers("mobilenet_v2", options.integer("seed", 0))
    x = layers.input(*image_shape(options, (224, 224, 3)))
    x = layers.relu(layers.norm(layers.conv(x, multiple(32 * width), (3, 3), (2, 2))), 6.0)
    for expansion, channels, count, stride in BLOCKS:
        for index in range(count):
            step = stride if index == 0 else 1
            x = _block(layers, x, expansion, multiple(channels * width), step)
    last = options.integer("last", multiple(1280 * max(1.0, width)), 1, 1 << 16)
    x = layers.relu(layers.norm(layers.conv(x, last, (1, 1))), 6.0)
    classes = options.integer("classes", 1000, 1, 100_000)
    return layers.classify(layers.average(x), classes, options.flag("softmax", False))


MOBILENET_V2 = Family(
    "mobilenet_v2",
    "MobileNet V2 for colour images (224 x 224 x 3)",
    {
        "size": "height x width of the image (224)",
        "channels": "of the image (3)",
        "width": "factor on all channels (1.0)",
        "last": "channels before the classes (1280, more for a width above 1)",
    },
    _build,
)
