"""What ships: a folder of files, as a value."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from netsuke.devices import Device
from netsuke.errors import UsageError
from netsuke.schedule import Plan


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

        Files of an earlier artifact in the folder are replaced; files that netsuke did not write
        stay.

        Raises
        ------
        UsageError
            When the folder cannot be written.
        """
        target = Path(folder)
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
            self._install(staging, target)
        except OSError as error:
            raise UsageError(f"{target}: cannot be written: {error}") from None
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        return target

    def _install(self, staging: Path, target: Path) -> None:
        if not target.exists():
            staging.chmod(0o777 & ~_umask())
            os.replace(staging, target)
            return
        if not target.is_dir():
            raise NotADirectoryError(20, "is a file, not a folder", str(target))
        with contextlib.suppress(OSError):
            shutil.rmtree(target / "kernels")
        for path in self.files:
            destination = target / path
            destination.parent.mkdir(parents=True, exist_ok=True)
            os.replace(staging / path, destination)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
