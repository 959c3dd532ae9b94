"""Portable kernels on emulated cores without SIMD: equal integers, and bounded work."""

from __future__ import annotations

import numpy as np
import pytest
from spatial_cases import activation, weighted

from netsuke.codegen import compile_graph
from netsuke.devices import device
from netsuke.ir import Graph, GraphBuilder, Op, interpret_batch
from netsuke.ops import Conv2d, Dense, DepthwiseConv2d

pytest.importorskip("unicorn", reason="left out: the emulator")


def graph_of(op: Op, image: tuple[int, ...], weights: tuple[int, ...], channels: int) -> Graph:
    rng = np.random.default_rng(7)
    inputs, quant = weighted(op, activation(image, rng), weights, channels, rng)
    builder = GraphBuilder("one")
    names = [builder.input("x", image, "int8", inputs[0].quant)]
    names += [builder.constant(t.name, t.data, t.quant) for t in inputs[1:] if t.data is not None]
    return builder.build([builder.one(op, *names, quant=quant)])


SAME = ((1, 1), (1, 1))
CASES = [
    (Conv2d(), (7, 9, 21), (11, 1, 1, 21), 11, 13.0),
    (Conv2d(padding=SAME), (8, 8, 16), (16, 3, 3, 16), 16, 5.5),
    (Conv2d((2, 2), (1, 2), SAME, 2), (9, 9, 6), (6, 3, 2, 3), 6, 26.0),
    (DepthwiseConv2d(padding=SAME), (12, 9, 8), (3, 3, 8), 8, 17.0),
    (Conv2d(), (7, 9, 6), (21, 1, 1, 6), 21, 27.0),
    (Dense(), (3, 50), (7, 50), 7, 9.5),
    (Dense(), (5, 9), (20, 9), 20, 24.0),
]


@pytest.mark.parametrize(("op", "image", "weights", "channels", "bound"), CASES)
def test_integers_are_equal_and_work_is_bounded(
    op: Op, image: tuple[int, ...], weights: tuple[int, ...], channels: int, bound: float
) -> None:
    from netsuke.verify.cores import core
    from netsuke.verify.unicorn import UnicornModel

    graph = graph_of(op, image, weights, channels)
    artifact = compile_graph(graph, device("rpi-pico"))
    x = np.random.default_rng(8).integers(-128, 128, (2, *image)).astype(np.int8)
    (expected,) = interpret_batch(graph, x)
    for name in ("cortex-m0plus", "cortex-m3"):
        model = UnicornModel(artifact, core(name))
        (actual,) = model.run(x)
        np.testing.assert_array_equal(actual, expected)
        assert model.instructions[0] < bound * graph.macs, name
