"""ResNet-8 of MLPerf Tiny (image classification)."""

from __future__ import annotations

from netsuke.ir import Graph
from netsuke.models.family import Family, image_shape
from netsuke.models.layers import Layers
from netsuke.spec import Options


def _block(layers: Layers, x: str, channels: int, stride: int) -> str:
    """Two 3 x 3 convolutions around which the input passes (He et al. 2016, fig. 2)."""
    y = layers.relu(layers.norm(layers.conv(x, channels, (3, 3), (stride, stride))))
    y = layers.norm(layers.conv(y, channels, (3, 3)))
    if stride != 1 or layers.shape(x)[2] != channels:
        x = layers.conv(x, channels, (1, 1), (stride, stride))
    return layers.relu(layers.add(x, y))


def _build(options: Options) -> Graph:
    width = options.number("width", 1.0, 0.05, 16.0)
    layers = Layers("resnet8", options.integer("seed", 0))
    widths = [max(1, round(channels * width)) for channels in (16, 32, 64)]
    x = layers.input(*image_shape(options, (32, 32, 3)))
    x = layers.relu(layers.norm(layers.conv(x, widths[0], (3, 3))))
    for index, channels in enumerate(widths):
        x = _block(layers, x, channels, 2 if index else 1)
    classes = options.integer("classes", 10, 1, 100_000)
    return layers.classify(layers.average(x), classes, options.flag("softmax", False))


RESNET8 = Family(
    "resnet8",
    "ResNet-8 of MLPerf Tiny for small colour images (32 x 32 x 3)",
    {
        "size": "height x width of the image (32)",
        "channels": "of the image (3)",
        "width": "factor on all channels (1.0)",
    },
    _build,
)
