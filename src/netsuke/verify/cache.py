"""A per-user store of compiled objects, keyed by everything that goes into them."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from netsuke.errors import VerificationError

LARGEST = 1 << 29  # bytes kept; the least recently used go first


@functools.cache
def cache_folder() -> Path:
    """Where compiled objects are kept: ``$NETSUKE_CACHE``, else ``$XDG_CACHE_HOME/netsuke``.

    A home that cannot be written to (a container, a read-only system) gives a temporary folder
    that lives as long as the process.
    """
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = Path(os.environ.get("NETSUKE_CACHE") or Path(base) / "netsuke").absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        keep = tempfile.TemporaryDirectory(prefix="netsuke-")
        _kept_alive.append(keep)
        return Path(keep.name)


_kept_alive: list[tempfile.TemporaryDirectory[str]] = []


def digest(*parts: str | bytes) -> str:
    """SHA-256 of parts, each with its length, so that no two lists of parts look alike."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "little"))
        total.update(data)
    return total.hexdigest()


def cached(key: str, suffix: str, make: Callable[[Path], None]) -> Path:
    """Return the file kept under a key; where there is none, let `make` write it.

    `make` writes to a temporary name beside its place; only a whole file ever gets the final
    name, whatever fails and however many processes make it at once.

    Raises
    ------
    VerificationError
        When the disk refuses, for example because it is full.
    """
    path = cache_folder() / key[:2] / f"{key}{suffix}"
    try:
        if path.is_file():
            with contextlib.suppress(OSError):
                os.utime(path)
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(suffix=suffix, prefix=".new-", dir=path.parent)
        os.close(handle)
        try:
            make(Path(name))
            os.replace(name, path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)
    except OSError as error:
        raise VerificationError(str(path.parent), f"cannot be written: {error}") from None
    if key.startswith("00"):
        prune(LARGEST)
    return path


def kept(key: str, suffix: str) -> Path | None:
    """The file kept under a key, or None; it may be gone when it is opened."""
    path = cache_folder() / key[:2] / f"{key}{suffix}"
    return path if path.is_file() else None


def prune(largest: int) -> None:
    """Delete the least recently used files until the rest take at most `largest` bytes."""
    found = []
    for path in cache_folder().glob("??/*"):
        with contextlib.suppress(OSError):
            status = path.stat()
            found.append((status.st_mtime, status.st_size, path))
    excess = sum(size for _, size, _ in found) - largest
    for _, size, path in sorted(found):
        if excess <= 0:
            return
        with contextlib.suppress(OSError):
            path.unlink()
        excess -= size
