"""A bar on standard error while designs are tried."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def shown(values: Iterable[T], total: int, text: str, visible: bool) -> Iterator[T]:
    """Pass values on, and show how many came when `visible`."""
    if not visible:
        yield from values
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(
        values, description=text, total=total, console=Console(stderr=True), transient=True
    )
