"""Counting executed instructions, with a hook in C (or in Python where no C compiler is)."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from netsuke.errors import VerificationError
from netsuke.verify.hooks import add_hook, compiled_hook

UNLIMITED = (1 << 64) - 1


class _State(ctypes.Structure):
    """`netsuke_counter` of ``hooks.c``."""

    _fields_ = (
        ("executed", ctypes.c_uint64),
        ("limit", ctypes.c_uint64),
        ("base", ctypes.c_uint64),
        ("bytes", ctypes.c_uint64),
        ("code", ctypes.c_void_p),
        ("sizes", ctypes.c_void_p),
        ("counts", ctypes.c_void_p),
        ("stop", ctypes.c_void_p),
        ("outside", ctypes.c_uint64),
    )


class Counter:
    """Counts the instructions that an emulator executes in an image's code.

    Parameters
    ----------
    emulator
        A `unicorn.Uc`.
    base, code
        Address and bytes of the code.
    skip
        Address of the block that only stops the emulator and does not count.
    compiled
        Count in C; False counts in Python, a hundred times slower.
    """

    def __init__(
        self, emulator: Any, base: int, code: bytes, skip: int, compiled: bool = True
    ) -> None:
        self._emulator = emulator
        self._code = np.frombuffer(code + bytes(2), np.uint8).copy()
        self._sizes = np.zeros(len(code) // 2 + 1, np.uint32)
        self._counts = np.zeros(len(code) // 2 + 1, np.uint32)
        self._state = _State(0, UNLIMITED, base, len(code))
        self._state.code = self._code.ctypes.data
        self._state.sizes = self._sizes.ctypes.data
        self._state.counts = self._counts.ctypes.data
        function = compiled_hook("netsuke_block") if compiled else None
        self.compiled = function is not None
        ranges = ((base, skip - 1), (skip + 2, base + len(code) - 1))
        for begin, end in ranges:
            if begin <= end:
                self._hook(function, begin, end)

    @property
    def executed(self) -> int:
        """Instructions counted so far."""
        if self._state.outside:
            raise VerificationError("unicorn", "ran code outside the image; the count is void")
        return int(self._state.executed)

    @property
    def exhausted(self) -> bool:
        """Whether the limit stopped the emulator."""
        return bool(self._state.executed > self._state.limit)

    def restart(self, limit: int) -> None:
        """Count from zero, and stop the emulator beyond `limit` instructions."""
        self._state.executed = 0
        self._state.limit = min(limit, UNLIMITED)

    def _hook(self, function: Any, begin: int, end: int) -> None:
        import unicorn
        from unicorn.unicorn_py3.unicorn import uclib

        if function is None:
            self._emulator.hook_add(unicorn.UC_HOOK_BLOCK, self._block, None, begin, end)
            return
        self._state.stop = ctypes.cast(uclib.uc_emu_stop, ctypes.c_void_p).value
        add_hook(self._emulator, unicorn.UC_HOOK_BLOCK, function, self._state, begin, end)

    def _block(self, emulator: Any, address: int, size: int, _: Any) -> None:
        at, state = address - int(self._state.base), self._state
        if self._sizes[at // 2] != size:
            self._sizes[at // 2] = size
            self._counts[at // 2] = instructions(self._code[at : at + size].tobytes())
        state.executed += int(self._counts[at // 2])
        if state.executed > state.limit:
            emulator.emu_stop()


def instructions(code: bytes) -> int:
    """Number of Thumb instructions in a stretch of code.

    A halfword whose top five bits are 11101, 11110 or 11111 starts an instruction of four bytes.
    """
    at = count = 0
    while at + 1 < len(code):
        at += 4 if code[at + 1] >> 3 >= 0x1D else 2
        count += 1
    return count
