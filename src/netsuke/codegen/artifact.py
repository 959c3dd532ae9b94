"""What ships: a folder of files, as a value."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from netsuke.devices import Device
from netsuke.errors import UsageError
from netsuke.schedule import Plan

MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True, eq=False)
class Artifact:
    """A C project for one graph on one device; the same input gives the same bytes.

    Attributes
    ----------
    files
        Path -> content.
    device, plan
        What it was made for, and how.
    weights
        Bytes of all constant tables that the model's code refers to (exact).
    """

    files: Mapping[PurePosixPath, bytes]
    device: Device
    plan: Plan
    weights: int

    def write(self, folder: Path | str) -> Path:
        """Write all files into `folder`, which appears whole or not at all.

        Files of an earlier artifact in the folder, as its manifest lists them, are replaced or
        deleted, and so is its certificate; files that netsuke did not write stay.

        Raises
        ------
        UsageError
            When the folder cannot be written, or when a file there has the name of one of ours
            and no manifest says that netsuke wrote it.
        """
        target = Path(folder)
        earlier = _earlier(target)
        self._refuse_to_replace(target, earlier)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            staging = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        except OSError as error:
            raise UsageError(f"{target}: cannot be written: {error}") from None
        try:
            for path, content in self.files.items():
                destination = staging / path
                destination.parent.mkdir(parents=True, exist_ok=True)
                destination.write_bytes(content)
            self._install(staging, target, earlier)
        except OSError as error:
            raise UsageError(f"{target}: cannot be written: {error}") from None
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        return target

    def _refuse_to_replace(self, target: Path, earlier: frozenset[PurePosixPath]) -> None:
        foreign = [path for path in self.files if path not in earlier and (target / path).exists()]
        if foreign:
            raise UsageError(
                f"{target}: holds {foreign[0]}, which netsuke did not write; "
                "name an empty or a new folder"
            )

    def _install(self, staging: Path, target: Path, earlier: frozenset[PurePosixPath]) -> None:
        if not target.exists():
            staging.chmod(0o777 & ~_umask())
            try:
                os.replace(staging, target)
                return
            except OSError:
                if not target.is_dir():  # else another process was faster
                    raise
        if not target.is_dir():
            raise NotADirectoryError(20, "is a file, not a folder", str(target))
        for path in earlier - self.files.keys():
            with contextlib.suppress(OSError):
                (target / path).unlink()
        # The manifest comes last: until it is there, the earlier one owns what was written.
        for path in sorted(self.files, key=lambda path: path.name == MANIFEST):
            destination = target / path
            destination.parent.mkdir(parents=True, exist_ok=True)
            os.replace(staging / path, destination)


def _earlier(target: Path) -> frozenset[PurePosixPath]:
    """The files that an artifact in this folder wrote, by its manifest; none without one."""
    try:
        record = json.loads((target / MANIFEST).read_bytes())
        if not str(record["schema"]).startswith("netsuke/"):
            return frozenset()
        listed = [PurePosixPath(name) for name in record["files"]]
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return frozenset()
    inside = (path for path in listed if not path.is_absolute() and ".." not in path.parts)
    return frozenset((*inside, PurePosixPath(MANIFEST), PurePosixPath("certificate.json")))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
