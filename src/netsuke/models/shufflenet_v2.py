"""ShuffleNet V2."""

from __future__ import annotations

from netsuke.ir import Graph
from netsuke.models.family import Family, image_shape
from netsuke.models.layers import Layers
from netsuke.ops import Split
from netsuke.spec import Options

CHANNELS = {
    0.5: (24, 48, 96, 192, 1024),
    1.0: (24, 116, 232, 464, 1024),
    1.5: (24, 176, 352, 704, 1024),
    2.0: (24, 244, 488, 976, 2048),
}
"""Width -> channels of the stem, of stages 2 to 4 and of the last convolution (table 5)."""
UNITS = (4, 8, 4)
"""Units of the three stages, the first of each with stride 2."""


def _channels(width: float) -> tuple[int, ...]:
    """The paper's channels for its widths, else those of width 1 in proportion, all even."""
    fallback = tuple(2 * max(1, round(count * width / 2)) for count in CHANNELS[1.0])
    return CHANNELS.get(width, fallback)


def _pointwise(layers: Layers, x: str, channels: int) -> str:
    return layers.relu(layers.norm(layers.conv(x, channels, (1, 1))))


def _branch(layers: Layers, x: str, channels: int, stride: int) -> str:
    """Pointwise, depthwise, pointwise."""
    y = _pointwise(layers, x, channels)
    y = layers.norm(layers.depthwise(y, (3, 3), (stride, stride)))
    return _pointwise(layers, y, channels)


def _unit(layers: Layers, x: str) -> str:
    """Half the channels pass, the other half is computed (figure 3 (c))."""
    half = layers.shape(x)[2] // 2
    kept, taken = layers.builder.add(
        Split(2, (half, half)), [x], [layers.next("half") for _ in "ab"]
    )
    return layers.shuffle(layers.concat(kept, _branch(layers, taken, half, 1)), 2)


def _down(layers: Layers, x: str, channels: int) -> str:
    """Both halves are computed from the whole input, with stride 2 (figure 3 (d))."""
    left = layers.norm(layers.depthwise(x, (3, 3), (2, 2)))
    left = _pointwise(layers, left, channels // 2)
    return layers.shuffle(layers.concat(left, _branch(layers, x, channels // 2, 2)), 2)


def _build(options: Options) -> Graph:
    """Ma et al. 2018 (arXiv:1807.11164), table 5; widths 0.5, 1, 1.5 and 2 are the paper's."""
    stem, *stages, last = _channels(options.number("width", 1.0, 0.05, 4.0))
    layers = Layers("shufflenet_v2", options.integer("seed", 0))
    x = layers.input(*image_shape(options, (224, 224, 3)))
    x = layers.relu(layers.norm(layers.conv(x, stem, (3, 3), (2, 2))))
    x = layers.same_max_pool(x, 3, 2)
    for channels, count in zip(stages, UNITS, strict=True):
        x = _down(layers, x, channels)
        for _ in range(count - 1):
            x = _unit(layers, x)
    x = layers.average(_pointwise(layers, x, last))
    classes = options.integer("classes", 1000, 1, 100_000)
    return layers.classify(x, classes, options.flag("softmax", False))


SHUFFLENET_V2 = Family(
    "shufflenet_v2",
    "ShuffleNet V2 for colour images (224 x 224 x 3)",
    {
        "size": "height x width of the image (224)",
        "channels": "of the image (3)",
        "width": "factor on all channels (1.0)",
    },
    _build,
)
