"""What a runtime takes above its own base, moment by moment, before the table's corrections."""

from __future__ import annotations

from dataclasses import dataclass

from netsuke.profile.estimate.arena import HUGE_PAGE
from netsuke.profile.estimate.result import Part


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment of a run.

    Attributes
    ----------
    name, size
        When; bytes above the base.
    kind
        ``"load"``, ``"run"`` or ``"train"``: which correction of the table belongs to it.
    """

    name: str
    size: int
    kind: str


@dataclass(frozen=True, slots=True)
class Account:
    """Moments of a run, and what is in memory at the largest of them.

    Attributes
    ----------
    moments
        In order of time.
    parts
        At the largest moment; what they do not explain is the runtime's own.
    slack
        Bytes that the system may add by where it happens to place things.
    """

    moments: tuple[Moment, ...]
    parts: tuple[Part, ...]
    slack: int = 0

    @property
    def peak(self) -> Moment:
        return max(self.moments, key=lambda moment: moment.size)


def in_huge_pages(size: int, huge: bool) -> int:
    """Bytes resident for an array of its own; a huge page is half empty on the average."""
    return size + min(size, HUGE_PAGE // 2) if huge else size
