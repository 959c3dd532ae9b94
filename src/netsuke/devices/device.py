"""The types of a device and of a person's limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Region:
    """One memory of a device.

    Attributes
    ----------
    name
        The vendor's name in lower case (``dtcm``, ``axi``, ``flash``).
    kind
        ``"flash"`` (not written while running) or ``"ram"``.
    size
        Bytes.
    use
        What may lie here: ``code``, ``weights``, ``arena``, ``data``, ``stack``.
    reserve
        Bytes kept for others (stack, heap, boot loader, camera buffers).
    origin
        Address of the first byte (0 also where the loader decides).
    """

    name: str
    kind: str
    size: int
    use: tuple[str, ...]
    reserve: int = 0
    origin: int = 0

    @property
    def available(self) -> int:
        """Bytes that netsuke may use."""
        return self.size - self.reserve


@dataclass(frozen=True, slots=True)
class Power:
    """What a whole board draws.

    Attributes
    ----------
    idle, active
        W, with nothing to do and with all cores busy.
    """

    idle: float
    active: float


@dataclass(frozen=True, slots=True)
class Device:
    """A board: what a plan must fit into and what a compiler is told.

    Attributes
    ----------
    id, name
        Catalogue key and vendor's name.
    core
        ``cortex-m0plus``, ``cortex-m4``, ``avr``, ``cortex-a53``, ``xtensa-lx7``, ``rv32`` ...
    isa
        Instruction sets that kernels may use: ``thumb``, ``thumb2``, ``dsp``, ``mve``, ``a64``,
        ``neon``, ``dotprod``, ``fpu-hp``, ``fpu-sp``, ``fpu-dp``, ``avr``, ``rv32imfc`` ...
    clock
        Hz of one core.
    regions
        All memories, fastest first.
    cores
        Number of application cores.
    sources
        Where each figure was read.
    power
        What it draws, or None where no published figure is known.
    """

    id: str
    name: str
    core: str
    isa: frozenset[str]
    clock: float
    regions: tuple[Region, ...]
    cores: int = 1
    sources: tuple[str, ...] = ()
    power: Power | None = None

    def memory(self, use: str) -> tuple[Region, ...]:
        """Regions in which `use` may lie, fastest first."""
        return tuple(region for region in self.regions if use in region.use)

    @property
    def flash(self) -> int:
        """Bytes available for code and weights (on Linux boards they share the one RAM)."""
        return sum(region.available for region in self.memory("weights"))

    @property
    def ram(self) -> int:
        """Bytes available for arenas."""
        return sum(region.available for region in self.memory("arena"))


@dataclass(frozen=True, slots=True)
class Limits:
    """What a design must hold; None leaves a quantity free.

    Attributes
    ----------
    flash, ram
        Bytes.
    latency
        Seconds for one inference (modelled unless a board measured it).
    instructions
        Executed instructions for one inference.
    max_drop
        Largest loss of the metric, in points (1.0 = one percentage point of accuracy).
    floors
        Class -> least accuracy of that class, in points.
    """

    flash: int | None = None
    ram: int | None = None
    latency: float | None = None
    instructions: int | None = None
    max_drop: float | None = None
    floors: Mapping[str, float] = field(default_factory=dict)
