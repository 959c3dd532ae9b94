"""An application around a model: a person's own C, run with the model's and proved like it.

An artifact computes a network; what ships also reads a camera and decides. Both classes here build
the artifact together with more C files and call any of their functions, on this machine and on an
emulated Cortex-M, so that the same calls can be compared bit for bit. Large buffers that are named
``model_arena_...`` are placed apart and get canaries, as the arenas of the model do; like these
they hold anything at first.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from netsuke.codegen import Artifact
from netsuke.errors import UsageError, VerificationError
from netsuke.verify.host import HostLibrary
from netsuke.verify.project import Project, open_project
from netsuke.verify.unicorn import UnicornModel

WORDS = 4  # that the calling convention of Arm passes in registers


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes that an application takes, from its linked image and the stack that was seen.

    Attributes
    ----------
    flash
        Code, constants and the initial values of variables.
    buffers
        Name -> bytes of each arena and each buffer that is named like one.
    variables
        All other variables.
    stack
        By painting, of all calls so far.
    """

    flash: int
    buffers: Mapping[str, int]
    variables: int
    stack: int

    @property
    def ram(self) -> int:
        """All of it."""
        return sum(self.buffers.values()) + self.variables + self.stack


def with_application(
    artifact: Artifact | Project | Path | str, sources: Mapping[PurePosixPath, bytes]
) -> Project:
    """The project of an artifact with more C files beside ``model.c``.

    Raises
    ------
    UsageError
        When a file would replace one of the artifact's.
    """
    project = artifact if isinstance(artifact, Project) else open_project(artifact)
    double = sorted(map(str, project.sources.keys() & sources.keys()))
    if double:
        raise UsageError(f"{double[0]} is a file of the artifact; name the application's otherwise")
    return replace(project, sources={**project.sources, **sources})


class HostApplication(HostLibrary):
    """An application on this machine, see `netsuke.verify.application`."""

    def __init__(
        self,
        artifact: Artifact | Project | Path | str,
        sources: Mapping[PurePosixPath, bytes],
        compiler: str | None = None,
    ) -> None:
        super().__init__(with_application(artifact, sources), compiler=compiler)

    def call(self, function: str, *words: int) -> int:
        """Call a function of up to four 32-bit words; return its word, signed."""
        found = self._symbol(function)
        found.restype = ctypes.c_int32
        return int(found(*map(ctypes.c_int32, _checked(words))))

    def write(self, symbol: str, data: bytes) -> None:
        """Write into a variable."""
        ctypes.memmove(ctypes.addressof(self._bytes(symbol, len(data))), data, len(data))

    def read(self, symbol: str, size: int) -> bytes:
        """Read so many bytes of a variable."""
        return bytes(self._bytes(symbol, size))

    def _bytes(self, symbol: str, size: int) -> ctypes.Array[ctypes.c_uint8]:
        self._symbol(symbol)
        return (ctypes.c_uint8 * size).in_dll(self._library, symbol)

    def _symbol(self, name: str) -> Any:
        try:
            return getattr(self._library, name)
        except AttributeError:
            raise VerificationError("the host library", f"lacks the symbol {name!r}") from None


class EmulatedApplication(UnicornModel):
    """An application on an emulated Cortex-M, see `netsuke.verify.application`.

    Parameters
    ----------
    artifact
        What the model was compiled to; the device must have a Cortex-M core.
    sources
        C files around it.
    entries
        Functions that `call` calls; what nothing reaches is not linked.
    compiler
        ``zig`` (default) or ``arm-none-eabi-gcc``.
    """

    def __init__(
        self,
        artifact: Artifact | Project | Path | str,
        sources: Mapping[PurePosixPath, bytes],
        entries: Sequence[str],
        compiler: str | None = None,
    ) -> None:
        project = with_application(artifact, sources)
        if not project.core[0].startswith("cortex-m"):
            raise UsageError(f"applications are emulated on a Cortex-M, not on {project.core[0]}")
        super().__init__(project, compiler=compiler, entries=entries)

    def call(self, function: str, *words: int) -> int:
        """Call a function of up to four 32-bit words; return its word, signed.

        `instructions` holds the one count of this call afterwards.

        Raises
        ------
        VerificationError
            When it touches memory that is not its own, traps, does not end, or overwrites a canary.
        """
        registers = self._unicorn.arm_const
        for number, word in enumerate([*_checked(words), 0, 0, 0, 0][:WORDS]):
            register = getattr(registers, f"UC_ARM_REG_R{number}")
            self._emulator.reg_write(register, word & 0xFFFFFFFF)
        self.instructions = [self._call(self.image.address(function), function)]
        self._check_canaries()
        return ctypes.c_int32(int(self._emulator.reg_read(registers.UC_ARM_REG_R0))).value

    def write(self, symbol: str, data: bytes) -> None:
        """Write into a variable."""
        self._emulator.mem_write(self._place(symbol, len(data)), data)

    def read(self, symbol: str, size: int) -> bytes:
        """Read so many bytes of a variable."""
        return bytes(self._emulator.mem_read(self._place(symbol, size), size))

    def _place(self, symbol: str, size: int) -> int:
        address = self.image.address(symbol)
        known = self.image.symbols[symbol][1]
        if size > known:
            raise UsageError(f"{symbol} has {known:,} B, not {size:,} B")
        return address

    @property
    def footprint(self) -> Footprint:
        """What the application takes; the stack is that of the calls so far."""
        sizes = self.image.sizes
        return Footprint(
            flash=sizes.flash,
            buffers={arena.symbol: arena.size for arena in self.image.arenas},
            variables=sizes.data + sizes.bss,
            stack=self.stack,
        )


def _checked(words: Sequence[int]) -> Sequence[int]:
    if len(words) > WORDS or any(not -(1 << 31) <= word < 1 << 31 for word in words):
        raise UsageError(f"a call takes up to {WORDS} words of 32 bits, not {list(words)}")
    return words
