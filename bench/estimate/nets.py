"""Networks of the comparison as graphs: the zoo's, and two that are written out here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from netsuke.compress.quantize import quantize
from netsuke.ir import Graph, Port
from netsuke.models import build
from netsuke.models.layers import Layers
from netsuke.ops import Concat
from netsuke.passes import optimize
from netsuke.spec import parse_spec

V2_BLOCKS = (
    *((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)),
    *((6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)),
)
"""(expansion, channels, count, first stride): arXiv:1801.04381, table 2."""
FIRES = ((16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256))
"""(squeeze, expand) of SqueezeNet 1.1's fire modules; poolings stand before numbers 0, 2 and 4."""


def _mobilenet_v2(options: dict[str, Any]) -> Graph:
    """Inverted residuals, ReLU as activation."""
    layers = Layers("mobilenet_v2", 0)
    x = layers.input(options["size"], options["size"], 3)
    x = layers.relu(layers.norm(layers.conv(x, round(32 * options["width"]), (3, 3), (2, 2))))
    for expansion, channels, count, first in V2_BLOCKS:
        for number in range(count):
            stride = first if number == 0 else 1
            entry, inputs = x, layers.shape(x)[2]
            if expansion > 1:
                x = layers.relu(layers.norm(layers.conv(x, inputs * expansion, (1, 1))))
            x = layers.relu(layers.norm(layers.depthwise(x, (3, 3), (stride, stride))))
            outputs = max(4, round(channels * options["width"]))
            x = layers.norm(layers.conv(x, outputs, (1, 1)))
            if stride == 1 and inputs == outputs:
                x = layers.add(x, entry)
    x = layers.relu(layers.norm(layers.conv(x, 1280, (1, 1))))
    return layers.classify(layers.average(x), options["classes"], False)


def _squeezenet(options: dict[str, Any]) -> Graph:
    layers = Layers("squeezenet", 0)
    x = layers.input(options["size"], options["size"], 3)
    x = layers.relu(layers.conv(x, 64, (3, 3), (2, 2)))
    for number, (squeeze, expand) in enumerate(FIRES):
        if number in (0, 2, 4):
            x = layers.max_pool(x)
        x = layers.relu(layers.conv(x, squeeze, (1, 1)))
        sides = [layers.relu(layers.conv(x, expand, size)) for size in ((1, 1), (3, 3))]
        x = layers.builder.one(Concat(2), *sides, name=layers.next("concat"))
    x = layers.average(layers.relu(layers.conv(x, options["classes"], (1, 1))))
    return layers.builder.build([x])


OWN = {"mobilenet_v2": _mobilenet_v2, "squeezenet": _squeezenet}


def graph(name: str, int8: bool = False) -> Graph:
    """The graph of a name, batch normalizations folded, its file channels first."""
    options = parse_spec(name)
    if options.place in OWN:
        width = float(options.values.get("width", "1.0"))
        size, classes = (int(options.values.get(k, d)) for k, d in (("size", 96), ("classes", 10)))
        made = OWN[options.place]({"width": width, "size": size, "classes": classes})
    else:
        made = build(name)
    made = optimize(made)
    if int8:
        shape = made.tensors[made.inputs[0]].shape
        samples = np.random.default_rng(0).uniform(-1, 1, (2, *shape)).astype(np.float32)
        made = quantize(made, samples, ranges="minmax", equalize=False, bias_correction=False)
    return made


def channels_first(made: Graph) -> Graph:
    """The graph whose file takes its image as (channels, height, width), as ONNX files do."""
    (name,) = made.inputs
    if len(made.tensors[name].shape) != 3:
        return made
    port = Port((1, 2, 0), made.tensors[name].dtype)
    return replace(made, ports={**made.ports, name: port})
