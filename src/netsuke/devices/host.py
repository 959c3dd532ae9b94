"""What this machine's processor can run."""

from __future__ import annotations

import functools
import platform
from pathlib import Path

from netsuke.errors import DeviceError

CPUINFO = Path("/proc/cpuinfo")
FLAGS = {
    "avx2": frozenset({"avx2"}),
    "avx512vnni": frozenset({"avx512f", "avx512bw", "avx512vl", "avx512dq", "avx512_vnni"}),
    "amx": frozenset({"amx_tile", "amx_int8"}),
    "neon": frozenset({"asimd"}),
    "dotprod": frozenset({"asimddp"}),
}
"""Instruction set -> what Linux must say that the processor has."""
WIDE = frozenset(FLAGS)
HOST = "host"
"""The name that stands for this machine among devices."""
BOARDS = {
    "amx": "linux-x86-64-amx",
    "avx512vnni": "linux-x86-64-avx512vnni",
    "avx2": "linux-x86-64-avx2",
    "dotprod": "rpi-5",
    "neon": "rpi-4b",
}
"""Instruction set -> board of the catalogue with it and no better one, the best first."""


@functools.cache
def host_isa() -> frozenset[str]:
    """The instruction sets among `WIDE` that this machine has, as Linux tells; else none.

    A process that runs on a machine of another kind (an emulated one) sees that machine's.
    """
    try:
        text = CPUINFO.read_text(encoding="ascii", errors="replace")
    except OSError:
        return frozenset()
    flags: set[str] = set()
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key.strip() in ("flags", "Features"):
            flags.update(value.split())
    x86 = platform.machine().lower() in ("x86_64", "amd64")
    known = {"avx2", "avx512vnni", "amx"} if x86 else {"neon", "dotprod"}
    return frozenset(name for name in known if FLAGS[name] <= flags)


def host_board() -> str:
    """Id of the board in the catalogue that has the most of this machine's instruction sets.

    Raises
    ------
    DeviceError
        When it has none that kernels are written for, or the system does not tell.
    """
    found = host_isa()
    for name, board in BOARDS.items():
        if name in found:
            return board
    raise DeviceError(
        HOST, f"has none of {', '.join(BOARDS)}, or does not tell; name a board instead"
    )
