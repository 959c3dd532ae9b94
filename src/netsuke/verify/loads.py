"""Where each load of a Thumb image reads: base, index, offset and bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from netsuke.verify.image import Image

STACK, LITERAL = 13, 15


@dataclass(frozen=True, slots=True)
class Load:
    """One load: ``[base + (index << shift) + offset]``.

    Attributes
    ----------
    at
        Address of the instruction.
    base, index
        Registers, or None; without a base `offset` is the address of a literal.
    bytes
        Bytes that it reads, from that address on.
    """

    at: int
    base: int | None
    offset: int = 0
    index: int | None = None
    shift: int = 0
    bytes: int = 4


def loads(image: Image) -> Iterator[Load]:
    """Every load of an image that may read flash: those of the stack pointer are left out."""
    for start, code in image.code:
        at = 0
        while at + 1 < len(code):
            half = int.from_bytes(code[at : at + 2], "little")
            wide = half >> 11 >= 0b11101
            second = int.from_bytes(code[at + 2 : at + 4], "little") if wide else 0
            address = start + at
            found = _wide(address, half, second) if wide else _narrow(address, half)
            if found is not None and found.base != STACK:
                yield found
            at += 4 if wide else 2


def _narrow(at: int, half: int) -> Load | None:
    base, immediate = half >> 3 & 7, half >> 6 & 31
    if half >> 11 == 0b01001:
        return Load(at, None, (at + 4 & ~3) + 4 * (half & 0xFF))
    if half >> 12 == 0b0101 and half >> 9 & 7 >= 3:
        size = {0b100: 4, 0b101: 2, 0b111: 2}.get(half >> 9 & 7, 1)
        return Load(at, base, 0, half >> 6 & 7, 0, size)
    if half >> 11 == 0b01101:
        return Load(at, base, 4 * immediate)
    if half >> 11 == 0b01111:
        return Load(at, base, immediate, bytes=1)
    if half >> 11 == 0b10001:
        return Load(at, base, 2 * immediate, bytes=2)
    if half >> 11 == 0b11001:
        return Load(at, half >> 8 & 7, bytes=4 * (half & 0xFF).bit_count())
    return None


def _wide(at: int, first: int, second: int) -> Load | None:
    if not first & 0x10:
        return None
    base, up = first & 0xF, bool(first & 0x80)
    if first & 0xFE00 == 0xF800:
        return _single(at, first, second)
    if first & 0xFE40 == 0xE840:
        if first & 0xFFF0 == 0xE8D0:
            return None  # a table branch or an exclusive load
        offset = 4 * (second & 0xFF) * (1 if up else -1) if first & 0x100 else 0
        return _relative(at, base, offset, 8)
    if first & 0xFE40 == 0xE800:
        size = 4 * second.bit_count()
        return Load(at, base, 0 if up else -size, bytes=size)
    if first & 0xFF20 == 0xED00 and second & 0x0E00 == 0x0A00:
        offset = 4 * (second & 0xFF) * (1 if up else -1)
        return _relative(at, base, offset, 8 if second & 0x100 else 4)
    return None


def _single(at: int, first: int, second: int) -> Load | None:
    base, size = first & 0xF, 1 << (first >> 5 & 3)
    if second >> 12 == LITERAL and size < 4:
        return None  # a hint to load
    if base == LITERAL:
        return _relative(at, base, (second & 0xFFF) * (1 if first & 0x80 else -1), size)
    if first & 0x80:
        return Load(at, base, second & 0xFFF, bytes=size)
    if not second & 0x0800:
        return Load(at, base, 0, second & 0xF, second >> 4 & 3, size)
    offset = (second & 0xFF) * (1 if second & 0x200 else -1) if second & 0x400 else 0
    return Load(at, base, offset, bytes=size)


def _relative(at: int, base: int, offset: int, size: int) -> Load:
    if base == LITERAL:
        return Load(at, None, (at + 4 & ~3) + offset, bytes=size)
    return Load(at, base, offset, bytes=size)
