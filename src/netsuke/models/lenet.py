"""A small convolutional network after LeNet-5."""

from __future__ import annotations

from netsuke.ir import Graph
from netsuke.models.family import Family, image_shape
from netsuke.models.layers import Layers
from netsuke.spec import Options


def _build(options: Options) -> Graph:
    """Two convolutions with pooling and two dense layers, with ReLU (LeCun et al. 1998)."""
    width = options.number("width", 1.0, 0.05, 16.0)
    layers = Layers("lenet", options.integer("seed", 0))
    x = layers.input(*image_shape(options, (28, 28, 1)))
    for channels in (16, 32):
        x = layers.relu(layers.norm(layers.conv(x, max(1, round(channels * width)), (3, 3))))
        if min(layers.shape(x)[:2]) >= 2:
            x = layers.max_pool(x)
    x = layers.relu(layers.dense(layers.flatten(x), max(1, round(64 * width))))
    classes = options.integer("classes", 10, 1, 100_000)
    return layers.classify(x, classes, options.flag("softmax", False))


LENET = Family(
    "lenet",
    "two convolutions and two dense layers for small images (28 x 28 x 1)",
    {
        "size": "height x width of the image (28)",
        "channels": "of the image (1)",
        "width": "factor on all channels (1.0)",
    },
    _build,
)
