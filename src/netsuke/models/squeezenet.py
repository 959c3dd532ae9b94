"""SqueezeNet 1.0 and 1.1."""

from __future__ import annotations

from netsuke.ir import Graph
from netsuke.models.family import Family, image_shape, scaled
from netsuke.models.layers import VALID, Layers
from netsuke.ops import Softmax
from netsuke.spec import Options

FIRES = ((16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256))
"""(squeeze, each of the two expands) of fire2 to fire9: the paper's table 1."""
POOLED = {"1.0": (3, 7), "1.1": (2, 4)}
"""Version -> how many fires stand before the second and the third pooling."""


def _fire(layers: Layers, x: str, squeeze: int, expand: int) -> str:
    """A 1 x 1 convolution read by a 1 x 1 and a 3 x 3 one (figure 1)."""
    x = layers.relu(layers.conv(x, squeeze, (1, 1)))
    sides = [layers.relu(layers.conv(x, expand, (kernel, kernel))) for kernel in (1, 3)]
    return layers.concat(*sides)


def _pool(layers: Layers, x: str) -> str:
    """3 x 3 windows, stride 2; the last may begin at the last pixel and see no more than it."""
    height, width = layers.shape(x)[:2]
    behind = [max(0, -(-(size - 3) // 2) * 2 + 3 - size) for size in (height, width)]
    return layers.max_pool(x, 3, 2, ((0, behind[0]), (0, behind[1])))


def _build(options: Options) -> Graph:
    """Iandola et al. 2016 (arXiv:1602.07360), table 1; 1.1 is the authors' later network.

    Without normalizations; classes are a convolution's channels, averaged over the image.
    """
    version = options.choice("version", "1.0", ("1.0", "1.1"))
    width = options.number("width", 1.0, 0.01, 4.0)
    layers = Layers("squeezenet", options.integer("seed", 0))
    x = layers.input(*image_shape(options, (224, 224, 3)))
    channels, kernel = (96, 7) if version == "1.0" else (64, 3)
    x = layers.conv(x, scaled(channels, width), (kernel, kernel), (2, 2), padding=VALID)
    x = _pool(layers, layers.relu(x))
    for index, (squeeze, expand) in enumerate(FIRES):
        if index in POOLED[version]:
            x = _pool(layers, x)
        x = _fire(layers, x, scaled(squeeze, width), scaled(expand, width))
    classes = options.integer("classes", 1000, 1, 100_000)
    scores = layers.average(layers.relu(layers.conv(x, classes, (1, 1))))
    if options.flag("softmax", False):
        scores = layers.builder.one(Softmax(), scores, name="probabilities")
    return layers.builder.build([scores])


SQUEEZENET = Family(
    "squeezenet",
    "SqueezeNet for colour images (224 x 224 x 3)",
    {
        "version": "1.0 or 1.1 (1.0)",
        "size": "height x width of the image (224); 32 and more",
        "channels": "of the image (3)",
        "width": "factor on all channels (1.0)",
    },
    _build,
)
