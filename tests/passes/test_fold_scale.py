"""Scales and shifts become part of a layer."""

from __future__ import annotations

import pytest
from build import Drawn
from meaning import assert_idempotent, assert_same_meaning, kinds

from netsuke import ops
from netsuke.passes.fold_scale import fold_scale


@pytest.mark.parametrize("op", [ops.Add(), ops.Sub(), ops.Mul(), ops.Div(), ops.Add(low=0.0)])
@pytest.mark.parametrize("swapped", [False, True])
def test_a_constant_operand_folds_into_the_layer_before_it(op: ops.Op, swapped: bool) -> None:
    b = Drawn()
    y = b.conv(b.input("x", (5, 5, 3)), 4)
    operands = (b.positive(4), y) if swapped else (y, b.positive(1, 1, 4))
    graph = b.build([b.one(op, *operands)])
    after = fold_scale(graph)
    exact = not (swapped and op.kind == "div")
    assert kinds(after) == (["conv2d"] if exact else ["conv2d", "div"])
    assert_same_meaning(graph, after)
    assert_idempotent(fold_scale, graph)


@pytest.mark.parametrize("padding", [0, 1])
def test_an_input_normalization_folds_into_the_first_layer(padding: int) -> None:
    b = Drawn()
    centred = b.one(ops.Sub(), b.input("x", (6, 6, 4)), b.weights(4))
    scaled = b.one(ops.Div(), centred, b.positive(1))
    pads = ((padding, padding), (padding, padding))
    graph = b.build([b.conv(scaled, 6, padding=pads)])
    after = fold_scale(graph)
    assert kinds(after) == ["sub", "conv2d"]
    assert_same_meaning(graph, after)
    again = fold_scale(after)
    assert kinds(again) == (["sub", "conv2d"] if padding else ["conv2d"])
    assert_same_meaning(graph, again)


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_scales_find_the_input_channels_of_groups(groups: int) -> None:
    b = Drawn()
    x = b.one(ops.Mul(), b.input("x", (6, 6, 4)), b.weights(4))
    y = b.one(ops.Conv2d(groups=groups), x, b.weights(8, 3, 3, 4 // groups), b.weights(8))
    z = b.one(ops.Mul(), b.one(ops.Tanh(), y), b.weights(8))
    z = b.one(ops.DepthwiseConv2d(), z, b.weights(2, 2, 16), b.weights(16))
    w = b.one(ops.Mul(), b.one(ops.Tanh(), z), b.weights(16))
    w = b.one(
        ops.TransposedConv2d(groups=groups), w, b.weights(8, 2, 2, 16 // groups), b.weights(8)
    )
    v = b.one(ops.Mul(), b.one(ops.Tanh(), w), b.weights(8))
    graph = b.build([b.dense(v, 3)])
    after = fold_scale(graph)
    assert "mul" not in kinds(after)
    assert_same_meaning(graph, after)


def test_a_constant_that_is_not_per_channel_stays() -> None:
    b = Drawn()
    y = b.conv(b.input("x", (5, 5, 3)), 4)
    graph = b.build([b.one(ops.Mul(), y, b.weights(3, 3, 1))])
    assert fold_scale(graph) is graph


def test_a_clamped_layer_keeps_its_scale_behind_it() -> None:
    b = Drawn()
    y = b.conv(b.input("x", (5, 5, 3)), 4, low=0.0)
    graph = b.build([b.one(ops.Mul(), y, b.weights(4))])
    assert fold_scale(graph) is graph
