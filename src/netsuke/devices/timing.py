"""How many cycles instructions take on a core: figures of its manual, or stated assumptions."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from netsuke.errors import DeviceError

CORES = Path(__file__).parent / "cores"


@dataclass(frozen=True, slots=True)
class FlashTiming:
    """What lies between a core and its flash's data.

    Attributes
    ----------
    lines, line
        Lines (count, bytes) that a cache or buffer keeps for data.
    wait
        Cycles that a load waits when its line is not kept.
    """

    lines: int
    line: int
    wait: float


@dataclass(frozen=True, slots=True)
class Timing:
    """Cycles of a core.

    Attributes
    ----------
    core
        Its name as in a device file.
    cycles
        Kind of instruction (see `netsuke.verify.mix`) -> cycles; kinds that are not named take
        ``cycles["alu"]``.
    typical
        Cycles an instruction of a network, at the upper end.
    boards
        Device id -> flash; ``"default"`` for the others.
    sources
        Where the figures were read, and what is assumed.
    """

    core: str
    cycles: Mapping[str, float]
    typical: float
    boards: Mapping[str, FlashTiming]
    sources: tuple[str, ...]

    def flash(self, device: str) -> FlashTiming:
        """The flash of a device."""
        return self.boards.get(device, self.boards["default"])

    def of(self, mix: Mapping[str, int], misses: int = 0, wait: float = 0.0) -> float:
        """Cycles of a mix of instructions and of loads that wait for flash."""
        plain = self.cycles["alu"]
        beside = ("load_registers", "store_registers")
        return misses * wait + sum(
            times * self.cycles.get(kind, 0.0 if kind in beside else plain)
            for kind, times in mix.items()
        )


def has_timing(core: str) -> bool:
    """Whether cycles of a core can be modelled."""
    return (CORES / f"{core}.toml").is_file()


@functools.cache
def timing(core: str) -> Timing:
    """Return the timing of a core.

    Raises
    ------
    DeviceError
        When there is none.
    """
    if not has_timing(core):
        known = ", ".join(sorted(path.stem for path in CORES.glob("*.toml")))
        raise DeviceError(core, f"has no cycle model; there are {known}")
    table = tomllib.loads((CORES / f"{core}.toml").read_text(encoding="utf-8"))
    return Timing(
        core=core,
        cycles={kind: float(cycles) for kind, cycles in table["cycles"].items()},
        typical=float(table["typical"]),
        boards={name: FlashTiming(**entry) for name, entry in table["flash"].items()},
        sources=tuple(table["sources"]),
    )
