"""Writing a file so that it appears whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from netsuke.errors import UsageError


def write_whole(path: Path | str, content: bytes | Callable[[BinaryIO], object]) -> None:
    """Write a file beside its place, then move it there.

    Parameters
    ----------
    path
        The file; its folder is made when it is missing.
    content
        Bytes, or a function that writes to a binary stream.

    Raises
    ------
    UsageError
        When the file cannot be written (no permission, disk full); nothing is left behind.
    """
    target = Path(path)
    staging = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        staging = Path(name)
        with os.fdopen(handle, "wb") as stream:
            if isinstance(content, bytes):
                stream.write(content)
            else:
                content(stream)
        mask = os.umask(0)
        os.umask(mask)
        staging.chmod(0o666 & ~mask)
        os.replace(staging, target)
    except OSError as error:
        raise UsageError(f"{target}: cannot be written: {error}") from None
    finally:
        if staging is not None:
            with contextlib.suppress(OSError):
                staging.unlink()
