"""Loads and stores that a core refuses because of their address, though the emulator does not."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

from netsuke.errors import VerificationError
from netsuke.verify.hooks import add_hook, compiled_hook, remove_hook
from netsuke.verify.image import Image

WITHOUT_UNALIGNED = ("cortex-m0", "cortex-m0plus")


class _Access(ctypes.Structure):
    """`netsuke_access` of ``hooks.c``."""

    _fields_ = (
        ("read", ctypes.c_void_p),
        ("base", ctypes.c_int32),
        ("offset", ctypes.c_int32),
        ("mask", ctypes.c_uint32),
        ("count", ctypes.c_uint32),
        ("address", ctypes.c_uint32),
    )


@dataclass(frozen=True, slots=True)
class Access:
    """What an instruction asks of its address: base (plus offset) a multiple of `size`.

    Offsets in the instruction are multiples of the size themselves.
    """

    base: int
    offset: int | None
    size: int


class AlignmentAudit:
    """Watches the loads and stores that must be aligned, until `finish`.

    Unicorn lets every load and store through. Hardware does not: ARMv6-M faults at any address
    that is no multiple of the size, ARMv7-M and later at those of LDRD, LDM, VLDR and their kin.
    Without a C compiler for this machine nothing is watched.
    """

    def __init__(self, emulator: Any, image: Image) -> None:
        import unicorn
        from unicorn.unicorn_py3.unicorn import uclib

        self._emulator, self._image = emulator, image
        self._watched: list[tuple[int, _Access, int]] = []
        function = compiled_hook("netsuke_check")
        if function is None:
            return
        read = ctypes.cast(uclib.uc_reg_read, ctypes.c_void_p).value
        for at, access in demanding(image):
            offset = -1 if access.offset is None else register(access.offset)
            state = _Access(read, register(access.base), offset, access.size - 1, 0, 0)
            handle = add_hook(emulator, unicorn.UC_HOOK_CODE, function, state, at, at)
            self._watched.append((at, state, handle))

    def finish(self) -> None:
        """Stop watching.

        Raises
        ------
        VerificationError
            When hardware would have faulted.
        """
        watched, self._watched = self._watched, []
        for _, _, handle in watched:
            remove_hook(self._emulator, handle)
        self._emulator.ctl_flush_tb()
        for at, state, _ in watched:
            if state.count:
                raise VerificationError(
                    f"{self._image.function_at(at)} at {at:#x}",
                    f"touches {state.address:#x} with an instruction that faults on a "
                    f"{self._image.core.name} when the address is not aligned",
                )


def demanding(image: Image) -> list[tuple[int, Access]]:
    """Every instruction of an image that demands an aligned address, and where."""
    strict = image.core.name in WITHOUT_UNALIGNED
    found = []
    for start, code in image.code:
        at = 0
        while at + 1 < len(code):
            half = int.from_bytes(code[at : at + 2], "little")
            wide = half >> 11 >= 0b11101
            second = int.from_bytes(code[at + 2 : at + 4], "little") if wide else 0
            access = _wide(half, second) if wide else _narrow(half, strict)
            if access is not None and access.base not in (13, 15):
                found.append((start + at, access))
            at += 4 if wide else 2
    return found


def _wide(half: int, second: int) -> Access | None:
    """LDM, STM, LDRD, STRD, exclusives; VLDR, VSTR, VLDM, VSTM. The rest may be unaligned."""
    table_branch = half & 0xFFF0 == 0xE8D0 and second & 0xFFE0 == 0xF000
    multiple = half & 0xFE00 == 0xE800 and not table_branch
    floating = half & 0xFE00 == 0xEC00 and second & 0x0E00 == 0x0A00 and half & 0x01E0 != 0x0040
    return Access(half & 0xF, None, 4) if multiple or floating else None


def _narrow(half: int, strict: bool) -> Access | None:
    """LDM and STM anywhere; on ARMv6-M also every LDR, STR, LDRH, STRH and LDRSH."""
    if half >> 12 == 0b1100:
        return Access(half >> 8 & 7, None, 4)
    if not strict:
        return None
    base = half >> 3 & 7
    if half >> 12 == 0b0110:
        return Access(base, None, 4)
    if half >> 12 == 0b1000:
        return Access(base, None, 2)
    if half >> 12 == 0b0101:
        size = {0b000: 4, 0b100: 4, 0b001: 2, 0b101: 2, 0b111: 2}.get(half >> 9 & 7)
        return Access(base, half >> 6 & 7, size) if size else None
    return None


def register(number: int) -> int:
    """The emulator's number of a core register, r0 to r14."""
    from unicorn import arm_const

    return int(getattr(arm_const, f"UC_ARM_REG_R{number}"))
