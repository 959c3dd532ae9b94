"""Kernel sources and the headers that they include, found by reading them."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from netsuke.errors import GraphError

PACKAGE = Path(__file__).parent.parent
INCLUDE = re.compile(rb'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


@functools.cache
def _headers() -> dict[str, Path]:
    """Every header of the house by its bare name."""
    found = [*(PACKAGE / "runtime").glob("*.h"), *(PACKAGE / "ops").glob("*/*.h")]
    return {path.name: path for path in sorted(found)}


@functools.cache
def _read(path: Path) -> bytes:
    return path.read_bytes()


def kernel_files(sources: Iterable[str], headers: Iterable[str] = ()) -> dict[PurePosixPath, bytes]:
    """Return the kernel sources and, transitively, the headers they include.

    Parameters
    ----------
    sources
        Paths relative to `netsuke.ops`, such as ``conv2d/conv2d_s8.c``.
    headers
        Bare names of further headers that the project needs.

    Returns
    -------
    dict
        ``kernels/<bare name>`` -> content, sorted by name.
    """
    files: dict[str, bytes] = {}
    pending = [PACKAGE / "ops" / source for source in sorted(set(sources))]
    pending += [_headers()[name] for name in headers]
    while pending:
        path = pending.pop()
        if path.name in files:
            continue
        files[path.name] = _read(path)
        for match in INCLUDE.findall(files[path.name]):
            name = match.decode()
            if name not in _headers():
                raise GraphError(path.name, f"includes {name!r}, which no folder holds")
            pending.append(_headers()[name])
    return {PurePosixPath("kernels", name): files[name] for name in sorted(files)}


def header_of(source: str) -> str:
    """The operator header that declares the functions of a kernel source."""
    folder = PurePosixPath(source).parent.name
    return f"{folder}.h"
