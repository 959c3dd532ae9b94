"""Borders are added by the layer that reads them."""

from __future__ import annotations

import numpy as np
from build import Drawn
from meaning import assert_idempotent, assert_same_meaning, kinds

from netsuke import ops
from netsuke.ir import Quant
from netsuke.passes.fold_padding import fold_padding


def test_zeros_fold_into_convolutions() -> None:
    b = Drawn()
    x = b.one(ops.Pad(((0, 1), (2, 1), (0, 0))), b.input("x", (6, 6, 3)))
    y = b.conv(x, 4, stride=(2, 2), padding=((1, 0), (0, 0)))
    graph = b.build([y, b.depthwise(x)])
    after = fold_padding(graph)
    assert kinds(after) == ["conv2d", "depthwise_conv2d"]
    assert after.nodes[0].op == ops.Conv2d((2, 2), padding=((1, 1), (2, 1)))
    assert_same_meaning(graph, after)
    assert_idempotent(fold_padding, graph)


def test_integer_borders_of_real_zero_fold_exactly() -> None:
    b = Drawn()
    q, w = Quant((0.1,), (17,)), Quant((0.01,))
    x = b.one(ops.Pad(((1, 1), (1, 1), (0, 0))), b.input("x", (4, 4, 2), "int8", q), quant=q)
    kernel = b.constant("w", b.rng.integers(-127, 128, (3, 3, 3, 2)).astype(np.int8), w)
    bias = b.constant("b", np.arange(3, dtype=np.int32), Quant((0.001,), bits=32))
    graph = b.build([b.one(ops.Conv2d(), x, kernel, bias, quant=Quant((0.2,), (-5,)))])
    after = fold_padding(graph)
    assert kinds(after) == ["conv2d"]
    assert_same_meaning(graph, after, exactly=True)


def test_other_borders_stay() -> None:
    b = Drawn()
    x = b.input("x", (6, 6, 3))
    ones = b.conv(b.one(ops.Pad(((1, 1), (1, 1), (0, 0)), 1.0), x), 4)
    channels = b.conv(b.one(ops.Pad(((0, 0), (0, 0), (1, 0))), x), 4)
    mirror = b.conv(b.one(ops.Pad(((1, 1), (1, 1), (0, 0)), mode="reflect"), x), 4)
    graph = b.build([ones, channels, mirror])
    assert fold_padding(graph) is graph
