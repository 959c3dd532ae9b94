"""ResNet-18."""

from __future__ import annotations

from netsuke.ir import Graph
from netsuke.models.family import Family, image_shape, scaled
from netsuke.models.layers import Layers
from netsuke.spec import Options


def _block(layers: Layers, x: str, channels: int, stride: int) -> str:
    """Two 3 x 3 convolutions and a shortcut, a projection where shapes change (option B)."""
    y = layers.relu(layers.norm(layers.conv(x, channels, (3, 3), (stride, stride))))
    y = layers.norm(layers.conv(y, channels, (3, 3)))
    if stride != 1 or layers.shape(x)[2] != channels:
        x = layers.norm(layers.conv(x, channels, (1, 1), (stride, stride)))
    return layers.relu(layers.add(x, y))


def _build(options: Options) -> Graph:
    """Eight blocks in four stages (He et al. 2016, arXiv:1512.03385, table 1)."""
    width = options.number("width", 1.0, 0.01, 4.0)
    layers = Layers("resnet18", options.integer("seed", 0))
    x = layers.input(*image_shape(options, (224, 224, 3)))
    x = layers.relu(layers.norm(layers.conv(x, scaled(64, width), (7, 7), (2, 2))))
    x = layers.same_max_pool(x, 3, 2)
    for stage, channels in enumerate((64, 128, 256, 512)):
        for index in range(2):
            x = _block(layers, x, scaled(channels, width), 2 if stage and not index else 1)
    classes = options.integer("classes", 1000, 1, 100_000)
    return layers.classify(layers.average(x), classes, options.flag("softmax", False))


RESNET18 = Family(
    "resnet18",
    "ResNet-18 for colour images (224 x 224 x 3)",
    {
        "size": "height x width of the image (224)",
        "channels": "of the image (3)",
        "width": "factor on all channels (1.0)",
    },
    _build,
)
