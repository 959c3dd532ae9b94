"""Allocators, replayed: what they keep resident."""

from __future__ import annotations

import pytest

from netsuke.profile.estimate.arena import HUGE_PAGE, Arena
from netsuke.profile.estimate.heap import LARGEST, Event, Heap

MIB = 1 << 20


def test_an_arena_doubles_its_regions_and_keeps_them() -> None:
    """The sequence that ONNX Runtime 1.32 logs for MobileNet V1 0.25 at a batch of 32."""
    arena = Arena()
    arena.take("conv1", 2_359_296)
    arena.take("workspace", 65_536)  # the first region's chunk was not worth splitting
    arena.release("workspace")
    arena.take("depthwise", 2_359_296)
    arena.take("workspace", 65_536)
    arena.release("workspace")
    arena.release("conv1")
    arena.take("conv2", 4_718_592)
    assert arena.regions == [4 * MIB, 4 * MIB, 8 * MIB]
    for name in ("depthwise", "conv2"):
        arena.release(name)
    arena.take("pattern", 9_437_184)
    assert arena.regions == [4 * MIB, 4 * MIB, 8 * MIB, 16 * MIB]


def test_what_is_written_is_resident_and_a_huge_page_all_at_once() -> None:
    arena = Arena()
    arena.take("x", 3 * MIB)
    small = arena.resident()
    assert small == 3 * MIB
    assert 3 * MIB <= arena.resident(HUGE_PAGE, 0) <= 4 * MIB


def test_freed_neighbours_become_one_chunk() -> None:
    arena = Arena()
    for name in "abc":
        arena.take(name, 256 << 10)
    for name in "acb":
        arena.release(name)
    arena.take("all", 1 * MIB)
    assert arena.regions == [1 * MIB]


def test_a_second_large_block_stays_in_the_heap() -> None:
    """The first return raises the threshold: from then on such blocks come from the heap."""
    heap = Heap()
    heap.replay([Event(1, 4 * MIB), Event(1, 0)])
    assert heap.resident == 0
    heap.replay([Event(2, 4 * MIB), Event(3, 1 * MIB), Event(2, 0)])
    assert heap.resident >= 5 * MIB  # the block behind keeps the top where it is


def test_blocks_past_the_largest_threshold_always_go_back() -> None:
    heap = Heap()
    for key in range(3):
        heap.replay([Event(key, LARGEST + 1), Event(key, 0)])
    assert heap.resident == 0
    assert heap.peak < LARGEST + 2 * heap.page + 1


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_a_heap_never_has_less_than_its_blocks(order: tuple[int, ...]) -> None:
    heap = Heap()
    sizes = (300_000, 70_000, 2_000_000)
    for key, size in enumerate(sizes):
        heap.take(key, size)
    assert heap.peak >= sum(sizes)
    for key in order:
        heap.release(key)
    assert not heap.used
    assert not heap.mapped
