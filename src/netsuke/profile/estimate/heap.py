"""What the C library's allocator keeps resident: glibc's malloc, replayed.

A request of at least the threshold is mapped for itself and goes back to the system when it is
freed; each such return raises the threshold to its size, up to 32 MiB, so that the next request of
that size comes from the heap, where it may stay for ever: a heap shrinks only at its top, and only
when twice the threshold is free there (`mallopt(3)`, M_MMAP_THRESHOLD and M_TRIM_THRESHOLD). That
is why a process that has freed everything stays large, and why the order of requests matters.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass

PAGE = 4096
THRESHOLD, LARGEST = 128 * 1024, 32 * 1024 * 1024
"""Bytes from which requests are mapped: at first, and at most (on 64-bit machines)."""
HEADER = 16


@dataclass(frozen=True, slots=True)
class Event:
    """One request or release of memory.

    Attributes
    ----------
    key
        Of the block.
    size
        Bytes requested; 0 releases the block.
    """

    key: int
    size: int


class Heap:
    """glibc's main arena: bytes that are resident, and the most that ever were.

    Parameters
    ----------
    page
        Bytes by which mappings are counted.

    Examples
    --------
    >>> heap = Heap()
    >>> heap.replay([Event(1, 1 << 20), Event(1, 0), Event(2, 1 << 20), Event(2, 0)])
    >>> heap.peak == heap.resident  # the second megabyte comes from the heap and stays
    True
    """

    def __init__(self, page: int = PAGE) -> None:
        self.page = page
        self.threshold = THRESHOLD
        self.mapped: dict[int, int] = {}
        self.used: dict[int, tuple[int, int]] = {}
        self.free: list[tuple[int, int]] = []  # (offset, size), by offset, never adjacent
        self.top = 0  # end of the last used block
        self.touched = 0  # end of what is resident
        self.peak = 0

    @property
    def resident(self) -> int:
        """Bytes."""
        return sum(self.mapped.values()) + self._pages(self.touched)

    def replay(self, events: Iterable[Event]) -> None:
        """Take and release blocks in order."""
        for event in events:
            if event.size:
                self.take(event.key, event.size)
            else:
                self.release(event.key)

    def take(self, key: int, size: int) -> None:
        """Request a block; every byte of it is taken to be written."""
        size = -(-(size + HEADER) // HEADER) * HEADER
        fits = [gap for gap in self.free if gap[1] >= size]
        if fits:  # the smallest that is large enough
            offset, room = min(fits, key=lambda gap: (gap[1], gap[0]))
            self.free.remove((offset, room))
            if room > size:
                insort(self.free, (offset + size, room - size))
            self.used[key] = (offset, size)
        elif size >= self.threshold and self.touched - self.top < size:
            self.mapped[key] = self._pages(size)
        else:
            self.used[key] = (self.top, size)
            self.top += size
            self.touched = max(self.touched, self.top)
        self.peak = max(self.peak, self.resident)

    def release(self, key: int) -> None:
        """Give a block back."""
        if key in self.mapped:
            size = self.mapped.pop(key)
            if self.threshold < size <= LARGEST:
                self.threshold = size
            return
        offset, size = self.used.pop(key)
        insort(self.free, (offset, size))
        self._join()
        if self.free and sum(self.free[-1]) == self.top:
            self.top = self.free.pop()[0]
        if self.touched - self.top >= 2 * self.threshold:
            self.touched = self.top

    def _join(self) -> None:
        """Make neighbours among the free blocks one."""
        joined: list[tuple[int, int]] = []
        for offset, size in self.free:
            if joined and sum(joined[-1]) == offset:
                joined[-1] = (joined[-1][0], joined[-1][1] + size)
            else:
                joined.append((offset, size))
        self.free = joined

    def _pages(self, size: int) -> int:
        return -(-size // self.page) * self.page
