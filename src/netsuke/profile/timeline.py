"""Memory over time: samples that stay few however long a run is."""

from __future__ import annotations

from dataclasses import replace

from netsuke.profile.processes import Memory, page_cache
from netsuke.profile.result import Sample

MOST = 20_000
"""Samples that are kept; then each two become one, with the larger figures."""
CACHE_EVERY = 0.1
"""Seconds between two looks at the page cache, which belongs to the machine."""


class Timeline:
    """Collects samples of a tree of processes."""

    def __init__(self, begin: float) -> None:
        self.begin = begin
        self.samples: list[Sample] = []
        self.seen: set[int] = set()
        self._every, self._skipped = 1, 0
        self._cache, self._looked = 0, -1.0

    def add(self, now: float, members: dict[int, Memory]) -> None:
        """Take one sample at a time of the monotonic clock (seconds)."""
        if now - self._looked >= CACHE_EVERY:
            self._looked, self._cache = now, page_cache()
        self.seen.update(members)
        if members:
            self._keep(_sample(now - self.begin, members, self._cache))

    def _keep(self, sample: Sample) -> None:
        if self._skipped and self.samples:
            self.samples[-1] = _larger(self.samples[-1], sample)
        else:
            self.samples.append(sample)
        self._skipped = (self._skipped + 1) % self._every
        if len(self.samples) >= MOST:
            pairs = zip(self.samples[::2], self.samples[1::2], strict=True)
            self.samples = [_larger(a, b) for a, b in pairs]
            self._every *= 2


def _sample(t: float, members: dict[int, Memory], cache: int) -> Sample:
    return Sample(
        t=t,
        memory=sum(memory.rss for memory in members.values()),
        swap=sum(memory.swap for memory in members.values()),
        cache=cache,
        threads=sum(memory.threads for memory in members.values()),
        processes=len(members),
        cpu=sum(memory.cpu for memory in members.values()),
    )


def _larger(a: Sample, b: Sample) -> Sample:
    """One sample for two: at the time of the first, with the larger figures."""
    return replace(
        a,
        memory=max(a.memory, b.memory),
        swap=max(a.swap, b.swap),
        cache=max(a.cache, b.cache),
        threads=max(a.threads, b.threads),
        processes=max(a.processes, b.processes),
        cpu=max(a.cpu, b.cpu),
    )
