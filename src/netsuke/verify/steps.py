"""Instructions of each step: what is executed from one call in model_invoke to the next."""

from __future__ import annotations

from typing import Any

from netsuke.verify.counter import Counter
from netsuke.verify.image import Image

INVOKE = "model_invoke"


def call_sites(image: Image, function: str = INVOKE) -> list[int]:
    """Addresses of the calls in a function, in turn; a jump into another one at its end counts."""
    start, size = image.symbols[function]
    sites = []
    for base, code in image.code:
        at = 0
        while at + 1 < len(code):
            half = int.from_bytes(code[at : at + 2], "little")
            wide = half >> 11 >= 0b11101
            second = int.from_bytes(code[at + 2 : at + 4], "little") if wide else 0
            address = base + at
            if start <= address < start + size and (
                _is_call(half, second, wide)
                or _leaves(half, second, wide, address, range(start, start + size))
            ):
                sites.append(address)
            at += 4 if wide else 2
    return sites


def _is_call(half: int, second: int, wide: bool) -> bool:
    """BL, or BLX with a register."""
    if wide:
        return half >> 11 == 0b11110 and second & 0xD000 == 0xD000
    return half & 0xFF87 == 0x4780


def _leaves(half: int, second: int, wide: bool, at: int, function: range) -> bool:
    """B to somewhere outside the function, or BX with a register that is not the return."""
    if not wide:
        return half & 0xFF87 == 0x4700 and half >> 3 & 0xF != 14
    if half >> 11 != 0b11110 or second & 0xD000 != 0x9000:
        return False
    sign, j1, j2 = half >> 10 & 1, second >> 13 & 1, second >> 11 & 1
    i1, i2 = 1 - (j1 ^ sign), 1 - (j2 ^ sign)
    offset = i1 << 23 | i2 << 22 | (half & 0x3FF) << 12 | (second & 0x7FF) << 1
    return at + 4 + offset - (sign << 24) not in function


class StepCounter:
    """Reads a counter at every call in `model_invoke`.

    Parameters
    ----------
    emulator, image, counter
        A `unicorn.Uc`, what runs in it, and who counts its instructions.
    """

    def __init__(self, emulator: Any, image: Image, counter: Counter) -> None:
        import unicorn

        self._counter = counter
        self._sites = call_sites(image)
        self._seen: list[int] = []
        for site in self._sites:
            emulator.hook_add(unicorn.UC_HOOK_CODE, self._calls, None, site, site)

    def restart(self) -> None:
        self._seen = []

    def finish(self, total: int) -> list[int]:
        """Instructions from each call to the next, `total` in all; the first one has what comes
        before it. [] where the calls do not run in turn, once each."""
        if not self._sites or len(self._seen) != len(self._sites):
            return []
        starts = [0, *self._seen[1:]]
        return [end - start for start, end in zip(starts, [*starts[1:], total], strict=True)]

    def _calls(self, *_: Any) -> None:
        self._seen.append(self._counter.executed)
