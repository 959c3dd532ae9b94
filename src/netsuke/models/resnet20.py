"""ResNet-20 for small images."""

from __future__ import annotations

from netsuke.ir import Graph
from netsuke.models.family import Family, image_shape, scaled
from netsuke.models.layers import Layers
from netsuke.ops import Pad, Slice
from netsuke.spec import Options


def _shortcut(layers: Layers, x: str, channels: int, stride: int) -> str:
    """The input itself: every second pixel, and zeros for the channels that are new (option A)."""
    height, width, depth = layers.shape(x)
    if stride != 1:
        rows, columns = -(-height // stride), -(-width // stride)
        op = Slice(((0, rows, stride), (0, columns, stride), (0, depth, 1)))
        x = layers.builder.one(op, x, name=layers.next("second"))
    if channels > depth:
        padding = ((0, 0), (0, 0), (0, channels - depth))
        x = layers.builder.one(Pad(padding=padding), x, name=layers.next("widened"))
    return x


def _block(layers: Layers, x: str, channels: int, stride: int) -> str:
    y = layers.relu(layers.norm(layers.conv(x, channels, (3, 3), (stride, stride))))
    y = layers.norm(layers.conv(y, channels, (3, 3)))
    return layers.relu(layers.add(_shortcut(layers, x, channels, stride), y))


def _build(options: Options) -> Graph:
    """6n + 2 layers for CIFAR, n = 3 (He et al. 2016, arXiv:1512.03385, section 4.2)."""
    width = options.number("width", 1.0, 0.05, 16.0)
    layers = Layers("resnet20", options.integer("seed", 0))
    x = layers.input(*image_shape(options, (32, 32, 3)))
    x = layers.relu(layers.norm(layers.conv(x, scaled(16, width), (3, 3))))
    for stage, channels in enumerate((16, 32, 64)):
        for index in range(options.integer("blocks", 3, 1, 200)):
            x = _block(layers, x, scaled(channels, width), 2 if stage and not index else 1)
    classes = options.integer("classes", 10, 1, 100_000)
    return layers.classify(layers.average(x), classes, options.flag("softmax", False))


RESNET20 = Family(
    "resnet20",
    "ResNet-20 for small colour images (32 x 32 x 3)",
    {
        "size": "height x width of the image (32)",
        "channels": "of the image (3)",
        "width": "factor on all channels (1.0)",
        "blocks": "of each of the three stages (3); 18 make ResNet-110",
    },
    _build,
)
