"""MobileNet V3, large and small."""

from __future__ import annotations

from functools import partial

from netsuke.ir import Graph
from netsuke.models.family import Family, image_shape, multiple
from netsuke.models.layers import Layers
from netsuke.spec import Options

Block = tuple[int, int, int, bool, bool, int]
"""Kernel, expanded channels, channels, squeeze-excite, hard-swish (else ReLU), stride."""

LARGE: tuple[Block, ...] = (
    (3, 16, 16, False, False, 1),
    (3, 64, 24, False, False, 2),
    (3, 72, 24, False, False, 1),
    (5, 72, 40, True, False, 2),
    (5, 120, 40, True, False, 1),
    (5, 120, 40, True, False, 1),
    (3, 240, 80, False, True, 2),
    (3, 200, 80, False, True, 1),
    (3, 184, 80, False, True, 1),
    (3, 184, 80, False, True, 1),
    (3, 480, 112, True, True, 1),
    (3, 672, 112, True, True, 1),
    (5, 672, 160, True, True, 2),
    (5, 960, 160, True, True, 1),
    (5, 960, 160, True, True, 1),
)
"""The paper's table 1."""

SMALL: tuple[Block, ...] = (
    (3, 16, 16, True, False, 2),
    (3, 72, 24, False, False, 2),
    (3, 88, 24, False, False, 1),
    (5, 96, 40, True, True, 2),
    (5, 240, 40, True, True, 1),
    (5, 240, 40, True, True, 1),
    (5, 120, 48, True, True, 1),
    (5, 144, 48, True, True, 1),
    (5, 288, 96, True, True, 2),
    (5, 576, 96, True, True, 1),
    (5, 576, 96, True, True, 1),
)
"""The paper's table 2."""


def _activated(layers: Layers, x: str, swish: bool) -> str:
    return layers.hard_swish(x) if swish else layers.relu(x)


def _block(layers: Layers, x: str, block: Block, width: float) -> str:
    """Inverted residual, with squeeze and excitation between its layers (figure 4)."""
    kernel, expanded, channels, excite, swish, stride = block
    depth, y = layers.shape(x)[2], x
    inner, outer = multiple(expanded * width), multiple(channels * width)
    if inner != depth:
        y = _activated(layers, layers.norm(layers.conv(y, inner, (1, 1))), swish)
    y = layers.norm(layers.depthwise(y, (kernel, kernel), (stride, stride)))
    y = _activated(layers, y, swish)
    if excite:
        y = layers.squeeze_excite(y, multiple(inner // 4))
    y = layers.norm(layers.conv(y, outer, (1, 1)))
    return layers.add(x, y) if stride == 1 and depth == outer else y


def _build(blocks: tuple[Block, ...], name: str, last: int, options: Options) -> Graph:
    """Howard et al. 2019 (arXiv:1905.02244), tables 1 and 2.

    As in the reference implementations, channels are rounded to multiples of 8, a block whose
    expansion equals its input has no expanding layer, the squeeze is a quarter of the expanded
    channels, and the layer before the classes has a bias and no normalization.
    """
    width = options.number("width", 1.0, 0.01, 4.0)
    layers = Layers(name, options.integer("seed", 0))
    x = layers.input(*image_shape(options, (224, 224, 3)))
    x = layers.hard_swish(layers.norm(layers.conv(x, multiple(16 * width), (3, 3), (2, 2))))
    for block in blocks:
        x = _block(layers, x, block, width)
    x = layers.hard_swish(layers.norm(layers.conv(x, 6 * layers.shape(x)[2], (1, 1))))
    x = layers.hard_swish(layers.dense(layers.average(x), multiple(last * width)))
    classes = options.integer("classes", 1000, 1, 100_000)
    return layers.classify(x, classes, options.flag("softmax", False))


OPTIONS = {
    "size": "height x width of the image (224)",
    "channels": "of the image (3)",
    "width": "factor on all channels (1.0)",
}

MOBILENET_V3_LARGE = Family(
    "mobilenet_v3_large",
    "MobileNet V3 large for colour images (224 x 224 x 3)",
    OPTIONS,
    partial(_build, LARGE, "mobilenet_v3_large", 1280),
)
MOBILENET_V3_SMALL = Family(
    "mobilenet_v3_small",
    "MobileNet V3 small for colour images (224 x 224 x 3)",
    OPTIONS,
    partial(_build, SMALL, "mobilenet_v3_small", 1024),
)
