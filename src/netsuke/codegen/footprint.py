"""How much flash a plan takes before anything is compiled."""

from __future__ import annotations

from dataclasses import dataclass

from netsuke.codegen.avr_code import code_on_avr
from netsuke.codegen.c import weight_bytes
from netsuke.devices import Device
from netsuke.schedule import Plan
from netsuke.schedule.flash import CALL, FIELD, FRAME, code_bytes
from netsuke.schedule.plan import PROGRAM_MEMORY


@dataclass(frozen=True, slots=True)
class Footprint:
    """Flash of an artifact in bytes.

    Attributes
    ----------
    weights
        All constant tables: exact.
    parameters
        The kernels' parameter structs: exact on 32-bit devices.
    code
        Kernels and calls: from recorded sizes of each kernel on this core.
    source
        How `code` is known: always ``"modelled"``; a linked image gives the exact figure.
    """

    weights: int
    parameters: int
    code: int
    source: str = "modelled"

    @property
    def flash(self) -> int:
        return self.weights + self.parameters + self.code


def footprint(plan: Plan, device: Device, weights: int | None = None) -> Footprint:
    """Return the flash that a plan's C will take on a device.

    A kernel that was never measured on the core counts as the largest that was. On an AVR it is
    the whole program, start-up included.
    """
    kernels = [step.kernel for step in plan.steps if step.kernel]
    tables = weight_bytes(plan) if weights is None else weights
    if PROGRAM_MEMORY in device.isa:
        return Footprint(tables, 0, code_on_avr(kernels))
    code = sum(code_bytes(name, device.core) for name in {k.function for k in kernels})
    # Stripes of one node share their kernel, and so the struct that is written once.
    fields = sum(len(k.parameters) for k in {id(kernel): kernel for kernel in kernels}.values())
    return Footprint(
        tables,
        FIELD * fields,
        FRAME + CALL * len(kernels) + code,
    )
