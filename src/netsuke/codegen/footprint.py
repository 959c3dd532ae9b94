"""How much flash a plan takes before anything is compiled."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path

from netsuke.codegen.c import weight_bytes
from netsuke.devices import Device
from netsuke.schedule import Plan

SIZES = Path(__file__).parent / "code_sizes.json"
FALLBACK = {"cortex-m85": "cortex-m55", "cortex-m23": "cortex-m0plus"}
UNMEASURED = "cortex-m4"
FRAME = 160
"""Bytes of model_invoke's prologue, model_input and model_output, without the calls."""
CALL = 16
"""Bytes of one emitted call with its literals (Thumb-2, measured on the shipped examples)."""


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


@functools.cache
def _sizes() -> dict[str, dict[str, int]]:
    if not SIZES.exists():
        return {}
    table: dict[str, dict[str, int]] = json.loads(SIZES.read_text(encoding="utf-8"))["sizes"]
    return table


def footprint(plan: Plan, device: Device, weights: int | None = None) -> Footprint:
    """Return the flash that a plan's C will take on a device.

    A kernel that was never measured on the core counts as the largest that was.
    """
    recorded = _sizes().get(FALLBACK.get(device.core, device.core)) or _sizes().get(UNMEASURED, {})
    largest = max(recorded.values(), default=1024)
    steps = [step for step in plan.steps if step.kernel]
    functions = {step.kernel.function for step in steps if step.kernel}
    code = sum(recorded.get(function, largest) for function in functions)
    fields = sum(len(step.kernel.parameters) for step in steps if step.kernel)
    return Footprint(
        weight_bytes(plan) if weights is None else weights,
        4 * fields,
        FRAME + CALL * len(steps) + code,
    )
