"""What ONNX Runtime's memory arena keeps resident, replayed.

The arena asks the system for regions, each twice as large as the last one or the next power of two
that holds the request, and never gives one back. Within the regions it takes the smallest free
chunk that is large enough, splits it where twice the request would fit, and joins neighbours when
they are free. Resident are the pages that were ever written. A kernel with transparent huge pages
hands out 2 MiB at the first touch, so that a region is resident sooner than it is used.
"""

from __future__ import annotations

from dataclasses import dataclass

FIRST = 1 << 20
"""Bytes of the first region, at least."""
ROUND = 256
DEAD = 128 << 20
"""Bytes that a chunk may be too large by."""
LARGEST = 1 << 30
"""Regions are not doubled past this."""
SMALL_PAGE, HUGE_PAGE = 4096, 2 << 20


@dataclass(slots=True)
class Chunk:
    """A stretch of a region: its number, offset and size (bytes), and whether it is used."""

    region: int
    offset: int
    size: int
    used: bool = False


class Arena:
    """An arena: its regions, and what was written of them.

    Examples
    --------
    >>> arena = Arena()
    >>> arena.take("x", 2_359_296)
    >>> arena.regions
    [4194304]
    """

    def __init__(self) -> None:
        self.next = FIRST
        self.regions: list[int] = []
        self.chunks: list[Chunk] = []
        self.blocks: dict[str, Chunk] = {}
        self.written: list[list[tuple[int, int]]] = []

    def take(self, key: str, size: int) -> None:
        """Request a block; every byte of it is taken to be written."""
        size = max(ROUND, -(-size // ROUND) * ROUND)
        chunk = self._find(size)
        if chunk is None:
            self._extend(size)
            chunk = self._find(size)
        assert chunk is not None
        if chunk.size >= 2 * size or chunk.size - size >= DEAD:
            rest = Chunk(chunk.region, chunk.offset + size, chunk.size - size)
            self.chunks.insert(self.chunks.index(chunk) + 1, rest)
            chunk.size = size
        chunk.used = True
        self.blocks[key] = chunk
        self.written[chunk.region].append((chunk.offset, chunk.offset + size))

    def release(self, key: str) -> None:
        """Give a block back to the arena."""
        chunk = self.blocks.pop(key)
        chunk.used = False
        position = self.chunks.index(chunk)
        for left in (position, position - 1):
            if 0 <= left < len(self.chunks) - 1:
                first, second = self.chunks[left : left + 2]
                if first.region == second.region and not first.used and not second.used:
                    first.size += second.size
                    self.chunks.remove(second)

    def _find(self, size: int) -> Chunk | None:
        fits = [chunk for chunk in self.chunks if not chunk.used and chunk.size >= size]
        # Later regions lie at lower addresses, and of equal chunks the lowest is taken.
        return min(fits, key=lambda c: (c.size, -c.region, c.offset), default=None)

    def _extend(self, size: int) -> None:
        grown = False
        while size > self.next:
            self.next *= 2
            grown = True
        self.chunks.append(Chunk(len(self.regions), 0, self.next))
        self.regions.append(self.next)
        self.written.append([])
        if not grown and self.next < LARGEST:
            self.next *= 2

    def resident(self, page: int = SMALL_PAGE, shift: int = 0) -> int:
        """Bytes resident when memory comes by `page` bytes.

        Parameters
        ----------
        shift
            Where the first region ends within a page; the regions lie one below the other.
        """
        low = shift
        pages: set[int] = set()
        for size, stretches in zip(self.regions, self.written, strict=True):
            low -= size
            for start, end in stretches:
                pages.update(range((low + start) // page, (low + end - 1) // page + 1))
        if page == SMALL_PAGE:
            return len(pages) * page
        first = shift - sum(self.regions)  # pages at the ends are not huge: they cross the border
        bounds = -(-first // page), shift // page
        return sum(page if bounds[0] <= number < bounds[1] else page // 2 for number in pages)
