"""Cross-layer equalization balances ranges and keeps the meaning."""

from __future__ import annotations

import numpy as np
import pytest

from netsuke import ops
from netsuke.compress.quantize.equalize import equalize, find_pairs, largest_by_channel
from netsuke.ir import Graph, GraphBuilder, interpret_batch


def chain(middle: str, high: float = np.inf) -> Graph:
    """conv2d → (something) → depthwise → conv2d → dense, with uneven channels."""
    rng = np.random.default_rng(5)
    b = GraphBuilder()

    def weights(*shape: int) -> str:
        return b.constant("w", rng.normal(size=shape).astype(np.float32))

    uneven = (rng.normal(size=(6, 3, 3, 2)) * 10.0 ** rng.uniform(-2, 2, (6, 1, 1, 1))).astype("f4")
    x = b.input("x", (8, 8, 2))
    x = b.one(ops.Conv2d(low=0.0, high=high), x, b.constant("w", uneven), weights(6))
    if middle == "max_pool2d":
        x = b.one(ops.MaxPool2d((2, 2)), x)
    elif middle == "average_pool2d":
        x = b.one(ops.AveragePool2d((2, 2)), x)
    elif middle == "tanh":
        x = b.one(ops.Tanh(), x)
    x = b.one(ops.DepthwiseConv2d(low=0.0), x, weights(3, 3, 12), weights(12))
    x = b.one(ops.Conv2d(groups=3), x, weights(6, 1, 1, 4), weights(6))
    x = b.one(ops.ReduceMean((0, 1), keepdims=False), x)
    return b.build([b.one(ops.Dense(), x, weights(3, 6), weights(3))])


@pytest.mark.parametrize("middle", ["", "max_pool2d", "average_pool2d", "tanh"])
def test_the_meaning_is_kept(middle: str) -> None:
    graph = chain(middle)
    after = equalize(graph)
    samples = np.random.default_rng(1).normal(size=(4, 8, 8, 2)).astype(np.float32)
    np.testing.assert_allclose(
        interpret_batch(after, samples)[0], interpret_batch(graph, samples)[0], rtol=1e-4, atol=1e-4
    )


def test_ranges_of_both_layers_meet() -> None:
    after = equalize(chain("max_pool2d"))
    (pair, *_) = find_pairs(after)
    first = next(node for node in after.nodes if node.name == pair.first)
    second = next(node for node in after.nodes if node.name == pair.second)
    weights, following = after.tensors[first.inputs[1]].data, after.tensors[second.inputs[1]].data
    channels = second.op.weight_inputs(after.in_of(second))
    assert weights is not None and following is not None and channels is not None
    r1 = np.abs(weights).max(axis=(1, 2, 3))
    np.testing.assert_allclose(r1, largest_by_channel(following, channels, 6), rtol=0.02)


def test_only_positively_homogeneous_ways_count() -> None:
    assert len(find_pairs(chain(""))) == 2
    assert len(find_pairs(chain("max_pool2d"))) == 2
    assert len(find_pairs(chain("tanh"))) == 1
    assert len(find_pairs(chain("", high=6.0))) == 1
