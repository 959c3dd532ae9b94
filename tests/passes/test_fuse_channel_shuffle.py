"""Channel shuffles are recognized."""

from __future__ import annotations

import pytest
from build import First
from meaning import assert_idempotent, assert_same_meaning, kinds

from netsuke import ops
from netsuke.passes import optimize
from netsuke.passes.fuse_channel_shuffle import fuse_channel_shuffle


def shuffle(b: First, x: str, groups: int) -> str:
    c, h, w = b.tensors[x].shape
    split = b.one(ops.Reshape((groups, c // groups, h, w)), x)
    return b.one(ops.Reshape((c, h, w)), b.one(ops.Transpose((1, 0, 2, 3)), split))


@pytest.mark.parametrize("groups", [2, 3])
def test_a_shuffle_with_channels_last_becomes_one_node(groups: int) -> None:
    b = First()
    x = b.input("x", (4, 5, 12))
    split = b.one(ops.Reshape((4, 5, groups, 12 // groups)), x)
    moved = b.one(ops.Transpose((0, 1, 3, 2)), split)
    graph = b.build([b.one(ops.Reshape((4, 5, 12)), moved)])
    after = fuse_channel_shuffle(graph)
    assert [node.op for node in after.nodes] == [ops.ChannelShuffle(groups)]
    assert_same_meaning(graph, after, exactly=True)
    assert_idempotent(fuse_channel_shuffle, graph)


def test_a_shuffle_with_channels_first_leaves_no_transposition() -> None:
    b = First()
    x = b.conv(b.input("x", (3, 4, 4)), 6)
    graph = b.build([b.conv(shuffle(b, x, 2), 4)])
    after = optimize(graph)
    assert kinds(after) == ["conv2d", "channel_shuffle", "conv2d"]
    assert_same_meaning(graph, after)


def test_another_exchange_of_axes_is_no_shuffle() -> None:
    b = First()
    x = b.input("x", (4, 4, 4))
    split = b.one(ops.Reshape((2, 2, 4, 4)), x)
    moved = b.one(ops.Transpose((0, 2, 1, 3)), split)
    graph = b.build([b.one(ops.Reshape((4, 4, 4)), moved)])
    assert fuse_channel_shuffle(graph) is graph
