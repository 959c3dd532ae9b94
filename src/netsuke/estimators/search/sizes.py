"""What a fitted estimator takes on a device, before anything is compiled."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from netsuke.codegen.avr_code import cycles_on_avr
from netsuke.codegen.footprint import footprint
from netsuke.devices import Device
from netsuke.errors import UsageError
from netsuke.ir import Array, Graph
from netsuke.schedule import plan
from netsuke.schedule.plan import PROGRAM_MEMORY
from netsuke.verify.ports import to_stored


@dataclass(frozen=True, slots=True)
class TableLimits:
    """What a design must hold; None leaves a quantity to the device.

    Attributes
    ----------
    flash, ram
        Bytes.
    cycles
        Clock cycles of one prediction, the mean over rows; on cores whose timing is not fixed,
        instructions.
    """

    flash: int | None = None
    ram: int | None = None
    cycles: int | None = None

    def on(self, device: Device) -> TableLimits:
        """The same, with the device's own memory where nothing was asked.

        Raises
        ------
        UsageError
            When a limit is below 1.
        """
        for name, limit in asdict(self).items():
            if limit is not None and limit < 1:
                raise UsageError(f"the limit of {name} is {limit}; give at least 1, or none")
        return TableLimits(
            min(self.flash or device.flash, device.flash),
            min(self.ram or device.ram, device.ram),
            self.cycles,
        )


@dataclass(frozen=True, slots=True)
class TableSizes:
    """Flash and RAM in bytes, cycles of one prediction."""

    flash: int
    ram: int
    cycles: int

    def plus(self, other: TableSizes | None) -> TableSizes:
        """Each size and the other's."""
        if other is None:
            return self
        sums = (self.flash + other.flash, self.ram + other.ram, self.cycles + other.cycles)
        return TableSizes(*sums)

    def minus(self, other: TableSizes) -> TableSizes:
        """Each size without the other's."""
        rest = (self.flash - other.flash, self.ram - other.ram, self.cycles - other.cycles)
        return TableSizes(*rest)

    def over(self, limits: TableLimits) -> tuple[str, ...]:
        """A sentence for each limit that is exceeded."""
        asked, found = asdict(limits), asdict(self)
        units = {"flash": " B", "ram": " B", "cycles": ""}
        return tuple(
            f"{name}: needs {found[name]:,}{units[name]}, the limit is {limit:,}{units[name]}"
            for name, limit in asked.items()
            if limit is not None and found[name] > limit
        )


SEEN = 64
"""Rows by which cycles are judged where they depend on rows."""


def predicted_sizes(graph: Graph, device: Device, rows: Array | None = None) -> TableSizes:
    """Modelled sizes of a graph on a device.

    Parameters
    ----------
    rows
        Rows ``(n, features)`` in the person's units, for cycles that depend on rows (how deep
        trees are walked); without them these are guessed.

    Raises
    ------
    GraphError
        When an operator has no kernel for the device.
    """
    planned = plan(graph, device)
    if PROGRAM_MEMORY in device.isa:
        stored = None if rows is None else to_stored(graph, (rows[:SEEN],))[0]
        cycles = cycles_on_avr(planned, stored)
    else:
        kernels = [step.kernel for step in planned.steps if step.kernel]
        cycles = sum(kernel.cycles or kernel.instructions for kernel in kernels)
    return TableSizes(footprint(planned, device).flash, planned.arena, round(cycles))
