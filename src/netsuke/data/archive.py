"""A folder, a ``.zip`` and a ``.tar.gz`` read alike: names in, bytes out, never unpacked."""

from __future__ import annotations

import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path, PurePosixPath

from netsuke.errors import DataError

ENTRIES = 2_000_000  # files in one archive
ENTRY = 1 << 30  # bytes of one file after unpacking
TOTAL = 1 << 36  # bytes of all files after unpacking: a packed archive is unpacked to be listed
BROKEN = (
    *(OSError, EOFError, RuntimeError, ValueError, MemoryError, OverflowError, struct.error),
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError),
)
"""What Python's readers of archives raise on damaged ones."""


class Archive:
    """Files below a folder or in an archive, under relative names with ``/``.

    Links are not followed out of an archive, hidden files and ``__MACOSX`` are left out, and
    nothing is written anywhere.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sizes: dict[str, int] = {}
        self.total = 0
        self._zip: zipfile.ZipFile | None = None
        self._tar: tarfile.TarFile | None = None
        try:
            self._open()
        except BROKEN as error:
            raise DataError(str(path), f"cannot be read: {error}") from None

    def _open(self) -> None:
        if self.path.is_dir():
            for file in self.path.rglob("*"):
                if file.is_file():
                    self._note(file.relative_to(self.path).as_posix(), file.stat().st_size)
        elif zipfile.is_zipfile(self.path):
            self._zip = zipfile.ZipFile(self.path)
            for info in self._zip.infolist():
                if not info.is_dir():
                    self._note(info.filename, info.file_size)
        else:
            self._tar = tarfile.open(self.path)  # noqa: SIM115 - closed in `close`
            for member in self._tar:
                if member.isfile():
                    self._note(member.name, member.size)

    def _note(self, name: str, size: int) -> None:
        parts = PurePosixPath(name).parts
        if any(part.startswith((".", "__MACOSX")) and part != "." for part in parts):
            return
        self.sizes[name] = size
        self.total += size
        if len(self.sizes) > ENTRIES or self.total > TOTAL:
            raise DataError(str(self.path), f"holds more than {ENTRIES:,} files or {TOTAL:,} B")

    @property
    def names(self) -> list[str]:
        """Names of all files, sorted."""
        return sorted(self.sizes)

    def read(self, name: str, most: int = ENTRY) -> bytes:
        """Bytes of a file.

        Raises
        ------
        DataError
            When it is larger than `most` or cannot be read.
        """
        place = f"{self.path}: {name}"
        if self.sizes[name] > most:
            raise DataError(place, f"has {self.sizes[name]:,} B, the limit is {most:,} B")
        try:
            # An archive may lie about sizes: never ask for more than was promised.
            if self._zip is not None:
                with self._zip.open(name) as file:
                    return file.read(self.sizes[name])
            if self._tar is not None:
                member = self._tar.extractfile(name)
                return member.read(self.sizes[name]) if member else b""
            return (self.path / name).read_bytes()
        except (*BROKEN, KeyError) as error:
            raise DataError(place, f"cannot be read: {error}") from None

    def close(self) -> None:
        for handle in (self._zip, self._tar):
            if handle is not None:
                handle.close()


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """An `Archive` that is closed again."""
    archive = Archive(path)
    try:
        yield archive
    finally:
        archive.close()


def listing(path: Path) -> Mapping[str, int]:
    """Names and sizes of the files in a folder or archive; empty for anything else."""
    if not is_archive(path):
        return {}
    found = path.stat()
    return _listing(path, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=4)
def _listing(path: Path, changed: int, size: int) -> Mapping[str, int]:
    # Every format looks at the names; a large archive takes a while to list.
    with opened(path) as archive:
        return archive.sizes


def is_archive(path: Path) -> bool:
    """Whether a path is a folder or an archive that `Archive` reads."""
    if path.is_dir() or path.suffix.lower() == ".zip":
        return True
    return path.name.lower().endswith((".tar.gz", ".tgz", ".tar"))
