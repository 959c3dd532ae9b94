"""Networks after LeCun et al. 1998: a small one of ours, LeNet-5 and LeNet-300-100."""

from __future__ import annotations

from netsuke.ir import Graph
from netsuke.models.family import Family, image_shape, scaled
from netsuke.models.layers import VALID, Layers
from netsuke.spec import Options


def _build(options: Options) -> Graph:
    """Two convolutions with pooling and two dense layers, with ReLU (LeCun et al. 1998)."""
    width = options.number("width", 1.0, 0.05, 16.0)
    layers = Layers("lenet", options.integer("seed", 0))
    x = layers.input(*image_shape(options, (28, 28, 1)))
    for channels in (16, 32):
        x = layers.relu(layers.norm(layers.conv(x, scaled(channels, width), (3, 3))))
        if min(layers.shape(x)[:2]) >= 2:
            x = layers.max_pool(x)
    x = layers.relu(layers.dense(layers.flatten(x), scaled(64, width)))
    classes = options.integer("classes", 10, 1, 100_000)
    return layers.classify(x, classes, options.flag("softmax", False))


def _build_lenet5(options: Options) -> Graph:
    """Caffe's LeNet-5, which Han et al. 2015 (arXiv:1506.02626, table 3) prune: 431,080 weights.

    Two 5 x 5 convolutions (20 and 50 channels) with pooling, no activation between, 500 units.
    """
    width = options.number("width", 1.0, 0.02, 16.0)
    layers = Layers("lenet5", options.integer("seed", 0))
    x = layers.input(*image_shape(options, (28, 28, 1)))
    for channels in (20, 50):
        x = layers.conv(x, scaled(channels, width), (5, 5), padding=VALID)
        x = layers.max_pool(x)
    x = layers.relu(layers.dense(layers.flatten(x), scaled(500, width)))
    classes = options.integer("classes", 10, 1, 100_000)
    return layers.classify(x, classes, options.flag("softmax", False))


def _build_lenet_300_100(options: Options) -> Graph:
    """Two dense layers, 300 and 100 units (LeCun et al. 1998): 266,610 weights."""
    width = options.number("width", 1.0, 0.01, 16.0)
    layers = Layers("lenet_300_100", options.integer("seed", 0))
    x = layers.flatten(layers.input(*image_shape(options, (28, 28, 1))))
    for units in (300, 100):
        x = layers.relu(layers.dense(x, scaled(units, width)))
    classes = options.integer("classes", 10, 1, 100_000)
    return layers.classify(x, classes, options.flag("softmax", False))


OPTIONS = {
    "size": "height x width of the image (28)",
    "channels": "of the image (1)",
    "width": "factor on all channels (1.0)",
}

LENET = Family(
    "lenet",
    "two convolutions and two dense layers for small images (28 x 28 x 1)",
    OPTIONS,
    _build,
)
LENET5 = Family(
    "lenet5",
    "LeNet-5 as in Caffe, for small images (28 x 28 x 1); 14 and more",
    OPTIONS,
    _build_lenet5,
)
LENET_300_100 = Family(
    "lenet_300_100",
    "LeNet-300-100, dense layers only, for small images (28 x 28 x 1)",
    OPTIONS,
    _build_lenet_300_100,
)
