"""VGG-16."""

from __future__ import annotations

from netsuke.ir import Graph
from netsuke.models.family import Family, image_shape, scaled
from netsuke.models.layers import Layers
from netsuke.spec import Options

STAGES = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
"""(channels, 3 x 3 convolutions) before each pooling."""


def _build(options: Options) -> Graph:
    """Configuration D of Simonyan & Zisserman 2015 (arXiv:1409.1556), table 1."""
    width = options.number("width", 1.0, 0.01, 2.0)
    layers = Layers("vgg16", options.integer("seed", 0))
    x = layers.input(*image_shape(options, (224, 224, 3)))
    for channels, count in STAGES:
        for _ in range(count):
            x = layers.relu(layers.conv(x, scaled(channels, width), (3, 3)))
        x = layers.max_pool(x)
    x = layers.flatten(x)
    for _ in range(2):
        x = layers.relu(layers.dense(x, scaled(4096, width)))
    classes = options.integer("classes", 1000, 1, 100_000)
    return layers.classify(x, classes, options.flag("softmax", False))


VGG16 = Family(
    "vgg16",
    "VGG-16 for colour images (224 x 224 x 3)",
    {
        "size": "height x width of the image (224); 32 and more",
        "channels": "of the image (3)",
        "width": "factor on all channels (1.0)",
    },
    _build,
)
