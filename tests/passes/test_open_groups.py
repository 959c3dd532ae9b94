"""Opened groups and shuffles: the same values, and channels that can be cut one by one."""

from __future__ import annotations

import numpy as np
import pytest
from passes.meaning import assert_same_meaning

from netsuke.compress.quantize import quantize
from netsuke.models import build
from netsuke.passes import optimize
from netsuke.passes.channel_groups import channel_groups
from netsuke.passes.open_groups import open_groups

SHUFFLED = ("shufflenet_v1?width=0.1&size=32&groups=2", "shufflenet_v2?width=0.1&size=32")


@pytest.mark.parametrize("spec", SHUFFLED)
def test_opened_networks_mean_the_same_bit_for_bit(spec: str) -> None:
    graph = build(spec)
    opened = open_groups(graph)
    kinds = {node.op.kind for node in opened.nodes}
    assert "channel_shuffle" not in kinds and "gather" in kinds
    assert all(getattr(node.op, "groups", 1) == 1 for node in opened.nodes)
    assert_same_meaning(graph, opened, exactly=True)


@pytest.mark.parametrize("spec", SHUFFLED)
def test_opened_integers_are_the_same_bit_for_bit(spec: str) -> None:
    graph = build(spec)
    samples = np.random.default_rng(0).normal(size=(2, 32, 32, 3)).astype(np.float32)
    integers = quantize(graph, samples)
    opened = open_groups(integers)
    assert opened is not integers
    assert_same_meaning(integers, opened, exactly=True)


@pytest.mark.parametrize("spec", SHUFFLED)
def test_every_channel_of_an_opened_network_can_be_cut(spec: str) -> None:
    graph = build(spec)
    opened = open_groups(graph)
    before = sum(group.units for group in channel_groups(graph))
    groups = channel_groups(opened)
    after = sum(group.units for group in groups)
    # In the closed form whole stages are one unit, and what is left is inside of blocks.
    assert after > 1.5 * before and all(group.channels == 1 for group in groups)


def test_graphs_without_a_shuffle_stay_closed() -> None:
    graph = build("alexnet?width=0.02&size=63")
    assert open_groups(graph) is graph
    optimized = optimize(graph)
    assert open_groups(optimized) is optimized
