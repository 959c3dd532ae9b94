"""The convolutional network of TensorFlow's tutorial on MNIST, for experiments with memory."""

from __future__ import annotations

from netsuke.ir import Graph
from netsuke.models.family import Family, image_shape
from netsuke.models.layers import Layers
from netsuke.spec import Options


def _build(options: Options) -> Graph:
    """Two convolutions of 5 × 5 with pooling, a wide dense layer and the scores."""
    width = options.number("width", 1.0, 0.05, 16.0)
    layers = Layers("mnist_cnn", options.integer("seed", 0))
    x = layers.input(*image_shape(options, (28, 28, 1)))
    for channels in (32, 64):
        x = layers.relu(layers.conv(x, max(1, round(channels * width)), (5, 5)))
        if min(layers.shape(x)[:2]) >= 2:
            x = layers.max_pool(x)
    x = layers.relu(layers.dense(layers.flatten(x), max(1, round(1024 * width))))
    classes = options.integer("classes", 10, 1, 100_000)
    return layers.classify(x, classes, options.flag("softmax", False))


MNIST_CNN = Family(
    "mnist_cnn",
    "two 5 x 5 convolutions (32, 64) and a dense layer of 1024 for small images (28 x 28 x 1)",
    {
        "size": "height x width of the image (28)",
        "channels": "of the image (1)",
        "width": "factor on all channels (1.0)",
    },
    _build,
)
