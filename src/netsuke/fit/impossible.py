"""Limits that no design can hold: the least of each, where it is needed, what would help."""

from __future__ import annotations

import numpy as np

from netsuke.devices import Device
from netsuke.devices.catalogue import device, device_ids
from netsuke.errors import LimitsNotMetError
from netsuke.fit.sizing import LIMITS, Sizer, as_array
from netsuke.ir import Array


def require_possible(sizer: Sizer, wanted: Array) -> None:
    """Raise when even the smallest design of the space breaks a limit.

    For each limit the design is compiled that takes the least of it: one channel in every layer
    that may be cut, and every edit that helps. Its exact size is the lower bound of the space.

    Raises
    ------
    LimitsNotMetError
        With the bound, the node where it is reached, and the cheapest relaxation.
    """
    for number, name in enumerate(LIMITS):
        if not np.isfinite(wanted[number]):
            continue
        least = sizer.space.smallest(number)
        sizes = sizer.sizes(least)
        needed, available = as_array(sizes)[number], wanted[number]
        if needed > available:
            culprit = sizes.largest_node if name == "flash" else sizes.peak_node
            changes = ", ".join(str(edit) for edit in least.edits)
            reason = "with one channel left wherever channels may be cut"
            reason = f"even {reason}" + (f" and with {changes}" if changes else "")
            raise LimitsNotMetError(
                *(name, int(needed), int(available), culprit),
                reason=reason,
                relaxation=_relaxation(name, int(needed), sizer.device),
            )


def _relaxation(name: str, needed: int, board: Device) -> str:
    """What would make the limit possible at the least cost."""
    if name == "instructions":
        return f"a limit of {needed:,} instructions"
    have = {"flash": board.flash, "ram": board.ram}[name]
    if needed <= have:
        return f"a limit of {needed:,} B of {name}, which {board.id} has"
    larger = _smallest_board(name, needed)
    return f"a device with {needed:,} B of {name}" + (f", such as {larger}" if larger else "")


def _smallest_board(name: str, needed: int) -> str | None:
    boards = [device(known) for known in device_ids()]
    fitting = [
        (each.flash if name == "flash" else each.ram, each.id)
        for each in boards
        if (each.flash if name == "flash" else each.ram) >= needed
    ]
    return min(fitting)[1] if fitting else None
