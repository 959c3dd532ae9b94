"""Memory that training frees is kept for its next step.

The C library gives large blocks back to the system as soon as they are freed, and the system
clears every page anew when it hands it out again. Training frees and asks for the same blocks in
each step: clearing took a third of the time of a MobileNet (measured: 261 instead of 416 images a
second). Results do not change.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # of mallopt(3)

KEPT = (1 << 31) - 1
"""Bytes of free memory up to which nothing is given back."""

LARGEST = 1 << 30
"""Blocks up to this size (bytes) come from memory that is kept."""

USUAL = 1 << 25
"""What glibc's own thresholds grow to (bytes) when a process frees large blocks."""

_holders: list[None] = []


@contextmanager
def kept_memory() -> Iterator[None]:
    """Keep freed memory within the process for a while, and give it back at the end.

    Does nothing where the C library is not glibc, or where a person has set its thresholds.
    """
    library = None if _holders else _glibc()
    _holders.append(None)
    try:
        if library is not None:
            library.mallopt(MMAP_THRESHOLD, LARGEST)
            library.mallopt(TRIM_THRESHOLD, KEPT)
        yield
    finally:
        _holders.pop()
        if library is not None:
            library.mallopt(MMAP_THRESHOLD, USUAL)
            library.mallopt(TRIM_THRESHOLD, 2 * USUAL)
            library.malloc_trim(0)


def _glibc() -> Any:
    """The C library of this process if it is glibc and nobody has tuned it, or None."""
    if any(name.startswith("MALLOC_") for name in os.environ):
        return None
    if "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", ""):
        return None
    try:
        library = ctypes.CDLL(None)
        library.gnu_get_libc_version  # noqa: B018  (musl and others have a mallopt without effect)
        library.mallopt, library.malloc_trim  # noqa: B018
    except (AttributeError, OSError, TypeError):
        return None
    return library
