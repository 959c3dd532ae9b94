"""DenseNet-121."""

from __future__ import annotations

from netsuke.ir import Graph
from netsuke.models.family import Family, image_shape
from netsuke.models.layers import Layers
from netsuke.ops import AveragePool2d, Concat, MaxPool2d
from netsuke.ops.window import same_padding
from netsuke.spec import Options

BLOCKS = (6, 12, 24, 16)
"""Layers of the four dense blocks."""


def _layer(layers: Layers, x: str, growth: int) -> str:
    """BN-ReLU-conv(1 x 1)-BN-ReLU-conv(3 x 3), joined to its input (sections 3 and 4)."""
    y = layers.conv(layers.relu(layers.norm(x)), 4 * growth, (1, 1))
    y = layers.conv(layers.relu(layers.norm(y)), growth, (3, 3))
    return layers.builder.one(Concat(2), x, y, name=layers.next("concat"))


def _transition(layers: Layers, x: str) -> str:
    """Half the channels, half the height and width."""
    x = layers.conv(layers.relu(layers.norm(x)), layers.shape(x)[2] // 2, (1, 1))
    op = AveragePool2d(kernel=(2, 2), stride=(2, 2))
    return layers.builder.one(op, x, name=layers.next("average"))


def _stem(layers: Layers, x: str, channels: int) -> str:
    x = layers.relu(layers.norm(layers.conv(x, channels, (7, 7), (2, 2))))
    height, width = layers.shape(x)[:2]
    padding = same_padding(height, 3, 2), same_padding(width, 3, 2)
    op = MaxPool2d(kernel=(3, 3), stride=(2, 2), padding=padding)
    return layers.builder.one(op, x, name=layers.next("pool"))


def _build(options: Options) -> Graph:
    """Huang et al. 2017 (arXiv:1608.06993), table 1, DenseNet-BC with compression 1/2.

    With 1000 classes and growth 32, 7,978,856 parameters are learned: weights, scales and offsets
    of the normalizations, and the last layer's bias.
    """
    growth = options.integer("growth", 32, 1, 256)
    layers = Layers("densenet121", options.integer("seed", 0))
    x = layers.input(*image_shape(options, (224, 224, 3)))
    x = _stem(layers, x, 2 * growth)
    for index, count in enumerate(BLOCKS):
        for _ in range(count):
            x = _layer(layers, x, growth)
        if index + 1 < len(BLOCKS):
            x = _transition(layers, x)
    x = layers.average(layers.relu(layers.norm(x)))
    classes = options.integer("classes", 1000, 1, 100_000)
    return layers.classify(x, classes, options.flag("softmax", False))


DENSENET121 = Family(
    "densenet121",
    "DenseNet-121 for colour images (224 x 224 x 3)",
    {
        "size": "height x width of the image (224); 32 and more",
        "channels": "of the image (3)",
        "growth": "channels that each layer adds (32)",
    },
    _build,
)
