"""How often each instruction ran, and how often loads missed a buffer in front of the flash."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from netsuke.errors import MissingToolError
from netsuke.ir import Array
from netsuke.verify.alignment import register
from netsuke.verify.hooks import add_hook, compiled_hook
from netsuke.verify.image import Image
from netsuke.verify.loads import loads


class _Trace(ctypes.Structure):
    """`netsuke_trace` of ``hooks.c``."""

    _fields_ = (
        ("base", ctypes.c_uint64),
        ("bytes", ctypes.c_uint64),
        ("starts", ctypes.c_void_p),
        ("ends", ctypes.c_void_p),
        ("jumps", ctypes.c_void_p),
        ("last", ctypes.c_uint64),
    )


class _Lines(ctypes.Structure):
    """`netsuke_lines` of ``hooks.c``."""

    _fields_ = (
        ("base", ctypes.c_uint64),
        ("bytes", ctypes.c_uint64),
        ("reads", ctypes.c_uint64),
        ("misses", ctypes.c_uint64),
        ("shift", ctypes.c_uint32),
        ("lines", ctypes.c_uint32),
        ("kept", ctypes.c_void_p),
    )


class _Load(ctypes.Structure):
    """`netsuke_load` of ``hooks.c``."""

    _fields_ = (
        ("read", ctypes.c_void_p),
        ("lines", ctypes.c_void_p),
        ("base", ctypes.c_int32),
        ("index", ctypes.c_int32),
        ("shift", ctypes.c_uint32),
        ("offset", ctypes.c_uint32),
        ("bytes", ctypes.c_uint32),
    )


@dataclass(frozen=True, slots=True)
class Executed:
    """One instruction of the image that ran.

    Attributes
    ----------
    first, second
        Its halfwords; `second` is 0 for an instruction of two bytes.
    times
        How often it ran.
    entered
        How often control came to it from elsewhere than the instruction before it.
    left
        How often control went elsewhere than to the instruction behind it.
    """

    address: int
    first: int
    second: int
    times: int
    entered: int
    left: int


class Tracer:
    """Watches an emulator until `executed` is asked for.

    How often each instruction ran follows from where blocks began and ended: a running sum.

    Parameters
    ----------
    emulator, image
        A `unicorn.Uc` and what runs in it.
    lines, line
        Lines (count, bytes) of a buffer between the core and the flash's data, least recently
        used out first; 0 lines watch nothing.
    fast
        Watch all reads at once, which derails a program that loads inside an IT block: who asks
        for it compares results and instructions with those of a run that nobody watched.

    Raises
    ------
    MissingToolError
        When there is no C compiler for this machine, on which watching depends.
    """

    def __init__(
        self, emulator: Any, image: Image, lines: int = 0, line: int = 16, fast: bool = False
    ) -> None:
        import unicorn

        enter = compiled_hook("netsuke_enter")
        if enter is None:
            raise MissingToolError("A C compiler", "to trace", "apt install gcc")
        end = max(address + len(data) for address, data in image.segments)
        self._base, size = image.memory.flash, end - image.memory.flash
        self._image = image
        self._counts = np.zeros((3, size // 2 + 2), np.uint64)
        self._trace = _Trace(self._base, size)
        self._trace.starts, self._trace.ends, self._trace.jumps = (
            row.ctypes.data for row in self._counts
        )
        add_hook(emulator, unicorn.UC_HOOK_BLOCK, enter, self._trace, 1, 0)
        self._kept = np.full(max(lines, 1), (1 << 64) - 1, np.uint64)
        self._lines = _Lines(self._base, size, 0, 0, line.bit_length() - 1, lines)
        self._lines.kept = self._kept.ctypes.data
        self._loads: list[_Load] = []
        if lines and fast:
            read = compiled_hook("netsuke_read")
            add_hook(emulator, unicorn.UC_HOOK_MEM_READ, read, self._lines, 1, 0)
        elif lines:
            self._watch_loads(emulator)

    def _watch_loads(self, emulator: Any) -> None:
        """Stand at each load."""
        import unicorn
        from unicorn.unicorn_py3.unicorn import uclib

        hook = compiled_hook("netsuke_load_at")
        read = ctypes.cast(uclib.uc_reg_read, ctypes.c_void_p).value
        for load in loads(self._image):
            registers = [-1 if r is None else register(r) for r in (load.base, load.index)]
            state = _Load(
                *(read, ctypes.addressof(self._lines), *registers),
                *(load.shift, load.offset & 0xFFFFFFFF, load.bytes),
            )
            self._loads.append(state)
            add_hook(emulator, unicorn.UC_HOOK_CODE, hook, state, load.at, load.at)

    def restart(self) -> None:
        """Forget what ran so far."""
        self._counts[:] = 0
        self._trace.last = 0
        self._lines.reads = self._lines.misses = 0

    @property
    def reads(self) -> int:
        """Loads from flash."""
        return int(self._lines.reads)

    @property
    def misses(self) -> int:
        """Loads from flash whose line the buffer did not hold."""
        return int(self._lines.misses)

    def executed(self) -> Iterator[Executed]:
        """Every instruction that ran, by rising address."""
        return executed(self._image, self._base, self._counts)


def executed(image: Image, base: int, counts: Array) -> Iterator[Executed]:
    """Every instruction that ran, by rising address.

    Parameters
    ----------
    image
        What ran.
    base
        Address of the first halfword that was watched.
    counts
        For each halfword, blocks that began there, that ended before it, and of these those that
        went on elsewhere.
    """
    starts, ends, jumps = counts.astype(np.int64)
    times: Array = np.cumsum(starts) - np.cumsum(ends)
    for start, code in image.code:
        at = 0
        while at + 1 < len(code) and start >= base:
            first = int.from_bytes(code[at : at + 2], "little")
            wide = first >> 11 >= 0b11101
            second = int.from_bytes(code[at + 2 : at + 4], "little") if wide else 0
            here = (start + at - base) // 2
            behind = here + (2 if wide else 1)
            if here < len(times) and times[here]:
                yield Executed(
                    *(start + at, first, second, int(times[here])),
                    entered=int(starts[here]),
                    left=int(jumps[behind]),
                )
            at += 4 if wide else 2
