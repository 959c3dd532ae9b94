"""GoogLeNet."""

from __future__ import annotations

from netsuke.ir import Graph
from netsuke.models.family import Family, image_shape, scaled
from netsuke.models.layers import Layers
from netsuke.spec import Options

STAGES = (
    ((64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64)),
    (
        (192, 96, 208, 16, 48, 64),
        (160, 112, 224, 24, 64, 64),
        (128, 128, 256, 24, 64, 64),
        (112, 144, 288, 32, 64, 64),
        (256, 160, 320, 32, 128, 128),
    ),
    ((256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)),
)
"""Channels of modules 3a to 5b: 1 x 1; 3 x 3 reduce, 3 x 3; 5 x 5 reduce, 5 x 5; after pooling."""


class _Maker:
    """Convolutions of one network: with normalizations or without, at one width."""

    def __init__(self, layers: Layers, width: float, normalized: bool) -> None:
        self.layers, self.width, self.normalized = layers, width, normalized

    def conv(self, x: str, channels: int, kernel: int, stride: int = 1) -> str:
        layers = self.layers
        x = layers.conv(x, scaled(channels, self.width), (kernel, kernel), (stride, stride))
        return layers.relu(layers.norm(x) if self.normalized else x)

    def inception(self, x: str, channels: tuple[int, ...]) -> str:
        """Four ways, joined (figure 2 (b))."""
        one, three_in, three, five_in, five, pooled = channels
        # The reference implementation's 5 x 5 convolutions are 3 x 3.
        large = 3 if self.normalized else 5
        ways = (
            self.conv(x, one, 1),
            self.conv(self.conv(x, three_in, 1), three, 3),
            self.conv(self.conv(x, five_in, 1), five, large),
            self.conv(self.layers.same_max_pool(x, 3, 1), pooled, 1),
        )
        return self.layers.concat(*ways)


def _build(options: Options) -> Graph:
    """Szegedy et al. 2015 (arXiv:1409.4842), table 1, without the auxiliary classifiers.

    By itself with batch normalizations and 3 x 3 in place of 5 x 5 convolutions, as the network
    is trained today; ``norm=no`` is the paper's own, whose local response normalization, which
    learns nothing, is left out.
    """
    normalized = options.flag("norm", True)
    layers = Layers("googlenet", options.integer("seed", 0))
    make = _Maker(layers, options.number("width", 1.0, 0.01, 4.0), normalized)
    x = layers.input(*image_shape(options, (224, 224, 3)))
    x = layers.same_max_pool(make.conv(x, 64, 7, 2), 3, 2)
    x = make.conv(make.conv(x, 64, 1), 192, 3)
    for modules in STAGES:
        x = layers.same_max_pool(x, 3, 2)
        for channels in modules:
            x = make.inception(x, channels)
    classes = options.integer("classes", 1000, 1, 100_000)
    return layers.classify(layers.average(x), classes, options.flag("softmax", False))


GOOGLENET = Family(
    "googlenet",
    "GoogLeNet for colour images (224 x 224 x 3)",
    {
        "norm": "batch normalizations, and 3 x 3 for 5 x 5 (yes)",
        "size": "height x width of the image (224)",
        "channels": "of the image (3)",
        "width": "factor on all channels (1.0)",
    },
    _build,
)
