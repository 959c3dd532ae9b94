"""Samples in memory or in their file."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from netsuke.ir import Array


class Rows:
    """The samples of one part ``(n, *shape)``.

    Parameters
    ----------
    path
        An ``.npy`` file in C order.
    held
        Read all of it at once; otherwise each sample when it is asked for, and not mapped: pages
        of a mapped file count as the process's memory.
    """

    def __init__(self, path: Path, held: bool) -> None:
        header = np.load(path, mmap_mode="r")
        self.shape, self.dtype, self._offset = header.shape, header.dtype, header.offset
        del header
        self._held = np.load(path) if held else None
        self._file = -1 if held else os.open(path, os.O_RDONLY)

    def __len__(self) -> int:
        return int(self.shape[0])

    def take(self, positions: Array) -> Array:
        """Stored samples at some positions."""
        if self._held is not None:
            return self._held[positions]
        out: Array = np.empty((len(positions), *self.shape[1:]), self.dtype)
        size = out[:1].nbytes
        for index, position in enumerate(positions):
            content = os.pread(self._file, size, self._offset + size * int(position))
            out[index] = np.frombuffer(content, self.dtype).reshape(self.shape[1:])
        return out
