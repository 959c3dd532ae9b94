"""What kind of instruction a Thumb code word is, as far as its time depends on it."""

from __future__ import annotations

from collections.abc import Iterable

from netsuke.verify.trace import Executed

Mix = dict[str, int]
"""Kind -> executed instructions; ``registers`` of multiple loads and stores, and ``taken``
branches, stand beside them."""

LOADS = ("load", "load_double")
STORES = ("store", "store_double")


def mix(executed: Iterable[Executed]) -> Mix:
    """Count executed instructions by kind.

    A single load or store right behind another one counts as ``load_next`` or ``store_next``
    (address and data phases overlap in a three-stage core), a branch that is taken as its kind
    and ``_taken``, registers of LDM, STM, PUSH and POP as ``load_registers`` and
    ``store_registers``.
    """
    found: Mix = {}
    before, behind = "", -1
    for one in executed:
        kind, registers = kind_of(one.first, one.second)
        follows = behind == one.address and before in (*LOADS, *STORES)
        fell = one.times - min(one.entered, one.times)
        if follows and kind in ("load", "store"):
            _add(found, f"{kind}_next", fell)
            _add(found, kind, one.times - fell)
        elif kind.startswith("branch"):
            taken = min(one.left, one.times) if kind == "branch_if" else one.times
            _add(found, f"{kind}_taken", taken)
            _add(found, kind, one.times - taken)
        else:
            _add(found, kind, one.times)
        if kind.endswith("_multiple"):
            _add(found, f"{kind.partition('_')[0]}_registers", registers * one.times)
        before, behind = kind, one.address + (4 if one.second or one.first >> 11 >= 29 else 2)
    return dict(sorted(found.items()))


def _add(found: Mix, kind: str, times: int) -> None:
    if times:
        found[kind] = found.get(kind, 0) + times


def kind_of(first: int, second: int) -> tuple[str, int]:
    """Kind of an instruction (Armv8.1-M, section C2), and registers of multiple accesses."""
    return _narrow(first) if first >> 11 < 0b11101 else _wide(first, second)


def _narrow(half: int) -> tuple[str, int]:
    top = half >> 12
    if top == 0b0100:
        return _data_processing(half), 0
    if top == 0b0101:
        return ("store" if half >> 9 & 7 < 3 else "load"), 0
    if top in (0b0110, 0b0111, 0b1000, 0b1001):
        return ("load" if half & 0x0800 else "store"), 0
    if top == 0b1011:
        return _miscellaneous(half)
    if top == 0b1100:
        count = (half & 0xFF).bit_count()
        return ("load_multiple" if half & 0x0800 else "store_multiple"), count
    if top == 0b1101:
        return ("branch_if" if half >> 8 & 0xF < 14 else "other"), 0
    return ("branch" if top == 0b1110 else "alu"), 0


def _data_processing(half: int) -> str:
    if half & 0x0800:
        return "load"  # a literal
    if half & 0xFC00 == 0x4000:
        return "multiply" if half >> 6 & 0xF == 0b1101 else "alu"
    if half & 0xFF00 == 0x4700:
        return "branch_register"
    into_pc = half & 0x87 == 0x87 and half & 0x0300 != 0x0100
    return "branch_register" if into_pc else "alu"


def _miscellaneous(half: int) -> tuple[str, int]:
    if half & 0xF500 == 0xB100:
        return "branch_if", 0  # CBZ, CBNZ
    if half & 0xFE00 == 0xB400:
        return "store_multiple", (half & 0x1FF).bit_count()
    if half & 0xFE00 == 0xBC00:
        return ("load_return" if half & 0x100 else "load_multiple"), (half & 0xFF).bit_count()
    if half & 0xFF00 == 0xBF00:
        return ("if_then" if half & 0xF else "alu"), 0
    return "alu", 0


def _wide(first: int, second: int) -> tuple[str, int]:
    if first & 0xEC00 == 0xEC00:
        return _coprocessor(first, second), 0
    if first & 0xFE00 == 0xE800:
        return _multiple_or_double(first, second)
    if first & 0xF800 == 0xF000:
        return _branch_or_immediate(first, second), 0
    if first & 0xFE00 == 0xF800:
        into_pc = first & 0x70 == 0x50 and second >> 12 == 15
        return ("branch_register" if into_pc else "load" if first & 0x10 else "store"), 0
    if first & 0xFF00 == 0xFB00:
        return _multiply(first, second), 0
    return "alu", 0


def _multiple_or_double(first: int, second: int) -> tuple[str, int]:
    if first & 0x40:
        if first & 0xFFF0 == 0xE8D0 and second & 0xFFE0 == 0xF000:
            return "branch_table", 0
        return ("load_double" if first & 0x10 else "store_double"), 0
    count = second.bit_count()
    if not first & 0x10:
        return "store_multiple", count
    return ("load_return" if second & 0x8000 else "load_multiple"), count


def _branch_or_immediate(first: int, second: int) -> str:
    if not second & 0x8000:
        return "alu"
    if first & 0xFF80 == 0xF000 and second & 0xC001 == 0xC001 and not second & 0x1000:
        return "loop"  # WLS, DLS, LE of Armv8.1-M
    if second & 0x5000 == 0x5000:
        return "branch_link"
    if second & 0x5000 == 0x1000:
        return "branch"
    return "branch_if" if first >> 6 & 0xE != 0xE else "other"


def _multiply(first: int, second: int) -> str:
    if not first & 0x80:
        return "multiply" if second >> 12 == 15 else "multiply_add"
    if first & 0xFFD0 == 0xFB90 and second & 0xF0 == 0xF0:
        return "divide"
    return "multiply_long" if first & 0x40 == 0 else "multiply_add_long"


def _coprocessor(first: int, second: int) -> str:
    """Floating point (coprocessors 10 and 11) and MVE."""
    scalar = second & 0x0E00 == 0x0A00
    if first & 0xEE00 == 0xEC00:
        part = "float" if scalar else "vector"
        return f"{part}_{'load' if first & 0x10 else 'store'}"
    if not scalar or first & 0xFF00 in (0xEF00, 0xFF00):
        return "vector"
    if second & 0x10 or first & 0xFF00 == 0xFE00:
        return "float_move"
    operation = first >> 4 & 0xB
    if operation == 8:
        return "float_divide"
    if operation in (0, 1, 9, 10):
        return "float_multiply_add"
    root = operation == 0xB and first & 0xF == 1 and second & 0xC0 == 0xC0
    return "float_divide" if root else "float"
