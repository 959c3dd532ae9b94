"""AlexNet."""

from __future__ import annotations

from netsuke.ir import Graph
from netsuke.models.family import Family, image_shape
from netsuke.models.layers import VALID, Layers
from netsuke.ops.window import Pads
from netsuke.spec import Options

FIRST: Pads = ((2, 2), (2, 2))
CONVOLUTIONS = {2: (96, 256, 384, 384, 256), 1: (64, 192, 384, 256, 256)}
"""Groups -> channels of the five convolutions."""


def _build(options: Options) -> Graph:
    """Krizhevsky et al. 2012, section 3.5, or its one-column form (arXiv:1404.5997).

    With two groups the second, fourth and fifth convolution see half the channels each, as they
    did on two GPUs. Local response normalization, which learns nothing, is left out.
    """
    groups = int(options.choice("groups", "2", ("1", "2")))
    width = options.number("width", 1.0, 0.01, 2.0)
    first, second, *rest = (
        max(1, round(count * width / groups)) * groups for count in CONVOLUTIONS[groups]
    )
    layers = Layers("alexnet", options.integer("seed", 0))
    x = layers.input(*image_shape(options, (224, 224, 3)))
    x = layers.relu(layers.conv(x, first, (11, 11), (4, 4), padding=FIRST))
    x = layers.max_pool(x, 3, 2, VALID)
    x = layers.relu(layers.conv(x, second, (5, 5), groups=groups))
    x = layers.max_pool(x, 3, 2, VALID)
    for channels, parts in zip(rest, (1, groups, groups), strict=True):
        x = layers.relu(layers.conv(x, channels, (3, 3), groups=parts))
    x = layers.flatten(layers.max_pool(x, 3, 2, VALID))
    for _ in range(2):
        x = layers.relu(layers.dense(x, max(1, round(4096 * width))))
    classes = options.integer("classes", 1000, 1, 100_000)
    return layers.classify(x, classes, options.flag("softmax", False))


ALEXNET = Family(
    "alexnet",
    "AlexNet for colour images (224 x 224 x 3)",
    {
        "groups": "2 as on two GPUs in 2012, 1 as on one in 2014 (2)",
        "size": "height x width of the image (224); 63 and more",
        "channels": "of the image (3)",
        "width": "factor on all channels (1.0)",
    },
    _build,
)
