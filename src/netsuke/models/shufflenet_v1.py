"""ShuffleNet V1."""

from __future__ import annotations

from netsuke.ir import Graph
from netsuke.models.family import Family, image_shape
from netsuke.models.layers import Layers
from netsuke.ops import AveragePool2d
from netsuke.ops.window import same_padding
from netsuke.spec import Options

CHANNELS = {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}
"""Groups -> channels of stage 2; stages 3 and 4 have two and four times as many (table 1)."""
UNITS = (4, 8, 4)
"""Units of the three stages, the first of each with stride 2."""


def _unit(layers: Layers, x: str, channels: int, groups: int, first: int) -> str:
    """Figure 2 (b), or (c) where the channels change; `first` groups in its first layer."""
    depth, stride = layers.shape(x)[2], 1
    grows = depth != channels
    y = layers.conv(x, channels // 4, (1, 1), groups=first)
    y = layers.shuffle(layers.relu(layers.norm(y)), groups)
    if grows:
        stride = 2
    y = layers.norm(layers.depthwise(y, (3, 3), (stride, stride)))
    y = layers.norm(layers.conv(y, channels - depth * grows, (1, 1), groups=groups))
    return layers.relu(layers.concat(_half(layers, x), y) if grows else layers.add(x, y))


def _half(layers: Layers, x: str) -> str:
    """Average of 3 x 3 windows with stride 2, of the pixels that are there."""
    height, width = layers.shape(x)[:2]
    op = AveragePool2d(
        kernel=(3, 3),
        stride=(2, 2),
        padding=(same_padding(height, 3, 2), same_padding(width, 3, 2)),
        include_padding=False,
    )
    return layers.builder.one(op, x, name=layers.next("average"))


def _build(options: Options) -> Graph:
    """Zhang et al. 2018 (arXiv:1707.01083), table 1.

    The first pointwise layer of stage 2 has one group, as the paper says, since its input has
    few channels. With a width other than 1, channels are the nearest that the groups divide.
    """
    groups = int(options.choice("groups", "3", tuple(map(str, CHANNELS))))
    width = options.number("width", 1.0, 0.05, 4.0)
    layers = Layers("shufflenet_v1", options.integer("seed", 0))
    x = layers.input(*image_shape(options, (224, 224, 3)))
    stem = max(1, -(-round(24 * width) // groups)) * groups
    x = layers.relu(layers.norm(layers.conv(x, stem, (3, 3), (2, 2))))
    x = layers.same_max_pool(x, 3, 2)
    step = 4 * groups
    for stage, count in enumerate(UNITS):
        channels = max(1, round(CHANNELS[groups] * width * 2**stage / step)) * step
        # The first unit of a stage adds channels to those that it hands on.
        channels += step if channels <= layers.shape(x)[2] else 0
        for index in range(count):
            first = 1 if stage == index == 0 else groups
            x = _unit(layers, x, channels, groups, first)
    classes = options.integer("classes", 1000, 1, 100_000)
    return layers.classify(layers.average(x), classes, options.flag("softmax", False))


SHUFFLENET_V1 = Family(
    "shufflenet_v1",
    "ShuffleNet V1 for colour images (224 x 224 x 3)",
    {
        "groups": "of the pointwise convolutions: 1, 2, 3, 4 or 8 (3)",
        "size": "height x width of the image (224)",
        "channels": "of the image (3)",
        "width": "factor on all channels (1.0)",
    },
    _build,
)
