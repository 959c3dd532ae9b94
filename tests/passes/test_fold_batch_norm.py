"""Batch normalizations become part of the layers before them."""

from __future__ import annotations

import pytest
from build import Drawn
from meaning import assert_idempotent, assert_same_meaning, kinds

from netsuke import ops
from netsuke.passes.fold_batch_norm import fold_batch_norm


@pytest.mark.parametrize("layer", ["conv2d", "depthwise_conv2d", "transposed_conv2d", "dense"])
def test_a_normalization_folds_into_the_layer_before_it(layer: str) -> None:
    b = Drawn()
    x = b.input("x", (6, 6, 4))
    if layer == "conv2d":
        y = b.conv(x, 6)
    elif layer == "depthwise_conv2d":
        y = b.one(ops.DepthwiseConv2d(), x, b.weights(3, 3, 8), b.weights(8))
    elif layer == "transposed_conv2d":
        y = b.one(ops.TransposedConv2d((2, 2)), x, b.weights(5, 3, 3, 4), b.weights(5))
    else:
        y = b.dense(x, 7)
    graph = b.build([b.relu(b.batch_norm(y))])
    after = fold_batch_norm(graph)
    assert kinds(after) == [layer, "clamp"]
    assert_same_meaning(graph, after)
    assert_idempotent(fold_batch_norm, graph)


@pytest.mark.parametrize("shape", [(5, 6, 4), (7, 4), (4,)])
def test_a_normalization_without_layer_becomes_a_depthwise_convolution(
    shape: tuple[int, ...],
) -> None:
    b = Drawn()
    graph = b.build([b.batch_norm(b.one(ops.Tanh(), b.input("x", shape)))])
    after = fold_batch_norm(graph)
    assert "depthwise_conv2d" in kinds(after)
    assert "batch_norm" not in kinds(after)
    assert_same_meaning(graph, after)
    assert_idempotent(fold_batch_norm, graph)


def test_a_layer_with_another_reader_or_a_clamp_keeps_its_weights() -> None:
    b = Drawn()
    x = b.input("x", (6, 6, 4))
    y = b.conv(x, 6)
    z = b.conv(x, 6, low=0.0)
    graph = b.build([b.batch_norm(y), b.one(ops.Exp(), y), b.batch_norm(z)])
    after = fold_batch_norm(graph)
    assert kinds(after).count("depthwise_conv2d") == 2
    assert_same_meaning(graph, after)
