"""DS-CNN of MLPerf Tiny (keyword spotting)."""

from __future__ import annotations

from netsuke.ir import Graph
from netsuke.models.family import Family, image_shape
from netsuke.models.layers import Layers
from netsuke.spec import Options


def _build(options: Options) -> Graph:
    """A wide convolution and depthwise separable ones (Zhang et al. 2017, arXiv:1711.07128)."""
    channels = max(1, round(64 * options.number("width", 1.0, 0.05, 16.0)))
    layers = Layers("ds_cnn", options.integer("seed", 0))
    x = layers.input(*image_shape(options, (49, 10, 1)))
    x = layers.relu(layers.norm(layers.conv(x, channels, (10, 4), (2, 2))))
    for _ in range(options.integer("blocks", 4, 0, 64)):
        x = layers.relu(layers.norm(layers.depthwise(x, (3, 3))))
        x = layers.relu(layers.norm(layers.conv(x, channels, (1, 1))))
    classes = options.integer("classes", 12, 1, 100_000)
    return layers.classify(layers.average(x), classes, options.flag("softmax", False))


DS_CNN = Family(
    "ds_cnn",
    "DS-CNN of MLPerf Tiny for keywords (49 frames x 10 MFCC)",
    {
        "size": "frames x coefficients (49x10)",
        "channels": "of the input (1)",
        "width": "factor on all channels (1.0)",
        "blocks": "depthwise separable blocks (4)",
    },
    _build,
)
