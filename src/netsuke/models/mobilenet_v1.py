"""MobileNet V1."""

from __future__ import annotations

from netsuke.ir import Graph
from netsuke.models.family import Family, image_shape
from netsuke.models.layers import Layers
from netsuke.spec import Options

BLOCKS = (
    *((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)),
    *((512, 1), (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1)),
)
"""(channels, stride) of the depthwise separable blocks."""


def _build(options: Options) -> Graph:
    """Thirteen depthwise separable blocks (Howard et al. 2017, arXiv:1704.04861, table 1)."""
    width = options.number("width", 1.0, 0.01, 4.0)
    high = 6.0 if options.flag("relu6", False) else float("inf")
    layers = Layers("mobilenet_v1", options.integer("seed", 0))
    x = layers.input(*image_shape(options, (96, 96, 3)))
    x = layers.conv(x, max(1, round(32 * width)), (3, 3), (2, 2))
    x = layers.relu(layers.norm(x), high)
    for channels, stride in BLOCKS:
        x = layers.relu(layers.norm(layers.depthwise(x, (3, 3), (stride, stride))), high)
        x = layers.relu(layers.norm(layers.conv(x, max(1, round(channels * width)), (1, 1))), high)
    classes = options.integer("classes", 2, 1, 100_000)
    return layers.classify(layers.average(x), classes, options.flag("softmax", False))


MOBILENET_V1 = Family(
    "mobilenet_v1",
    "MobileNet V1, at width 0.25 the visual wake words network of MLPerf Tiny (96 x 96 x 3)",
    {
        "size": "height x width of the image (96)",
        "channels": "of the image (3)",
        "width": "factor on all channels (1.0)",
        "relu6": "whether activations end at 6 (no)",
    },
    _build,
)
