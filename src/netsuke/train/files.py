"""Plain values and arrays as files that appear whole or not at all."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from netsuke.errors import DataError
from netsuke.files import write_whole
from netsuke.ir import Array


def write_json(path: Path, value: Any) -> None:
    """Write plain values as JSON, at once, in the order in which they are given."""
    write_whole(path, (json.dumps(value, indent=1) + "\n").encode())


def read_json(path: Path) -> Any:
    """Read plain values.

    Raises
    ------
    DataError
        When the file is missing or no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(str(path), f"cannot be read: {error}") from None


def write_arrays(path: Path, arrays: Mapping[str, Array], note: Any) -> None:
    """Write named arrays and plain values as one ``.npz``, at once."""
    buffer = io.BytesIO()
    text = np.frombuffer(json.dumps(note, sort_keys=True).encode(), np.uint8)
    # Positional names: a tensor may be called anything, a zip entry may not.
    names = np.frombuffer(json.dumps(list(arrays)).encode(), np.uint8)
    numbered = {f"a{index}": array for index, array in enumerate(arrays.values())}
    np.savez(buffer, note=text, names=names, **numbered)  # type: ignore[arg-type]
    write_whole(path, buffer.getvalue())


def read_arrays(path: Path) -> tuple[dict[str, Array], Any]:
    """Read what `write_arrays` wrote.

    Raises
    ------
    DataError
        When the file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as loaded:
            names = json.loads(bytes(loaded["names"]))
            note = json.loads(bytes(loaded["note"]))
            return {name: loaded[f"a{index}"] for index, name in enumerate(names)}, note
    except Exception as error:  # a damaged file can make the readers raise anything
        raise DataError(str(path), f"cannot be read: {error}") from None
