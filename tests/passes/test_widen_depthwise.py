"""A depthwise convolution of one channel is a convolution."""

from __future__ import annotations

import numpy as np
from build import Drawn
from meaning import assert_idempotent, assert_same_meaning, kinds

from netsuke import ops
from netsuke.ir import Quant
from netsuke.passes.widen_depthwise import widen_depthwise


def test_one_channel_in_many_out_becomes_a_convolution() -> None:
    b = Drawn()
    x = b.input("x", (7, 5, 1))
    w, bias = b.constant("w", b.rng.normal(size=(3, 2, 6))), b.constant("b", b.rng.normal(size=6))
    op = ops.DepthwiseConv2d((2, 1), (1, 2), ((1, 0), (2, 1)), low=0.0)
    graph = b.build([b.one(op, x, w, bias)])
    after = widen_depthwise(graph)
    assert kinds(after) == ["conv2d"]
    assert_same_meaning(graph, after)
    assert_idempotent(widen_depthwise, graph)


def test_integers_stay_the_same_bit_for_bit() -> None:
    b = Drawn()
    x = b.input("x", (6, 6, 1), "int8", Quant((0.1,), (17,)))
    scales = tuple(float(np.float32(s)) for s in b.rng.uniform(0.01, 0.05, 4))
    data = b.rng.integers(-127, 128, (3, 3, 4)).astype(np.int8)
    w = b.constant("w", data, Quant(scales, (0,) * 4, 2))
    bias = b.constant("b", np.arange(4, dtype=np.int32))
    graph = b.build([b.one(ops.DepthwiseConv2d(), x, w, bias, quant=Quant((0.2,), (-5,)))])
    after = widen_depthwise(graph)
    assert kinds(after) == ["conv2d"]
    assert_same_meaning(graph, after, exactly=True)


def test_several_channels_stay_depthwise() -> None:
    b = Drawn()
    graph = b.build([b.depthwise(b.input("x", (6, 6, 3)))])
    assert widen_depthwise(graph) is graph
