"""Limits that no design can hold: the least of each, where it is needed, what would help."""

from __future__ import annotations

from collections import Counter

import numpy as np

from netsuke.devices import Device
from netsuke.devices.catalogue import device, device_ids
from netsuke.errors import LimitsNotMetError
from netsuke.fit.design import Design
from netsuke.fit.sizing import LIMITS, Sizer
from netsuke.ir import Array
from netsuke.passes import optimize
from netsuke.schedule.least_ram import least_ram


def require_possible(sizer: Sizer, wanted: Array) -> None:
    """Raise when even the smallest design of the space breaks a limit.

    For each limit the design is looked at that takes the least of it: one channel in every layer
    that may be cut, and every edit that helps. Of RAM, what must live at once is a proved lower
    bound (`netsuke.schedule.least_ram`); where that is not too much, the design is planned, in
    stripes if need be. Flash and instructions are those of the compiled design.

    Raises
    ------
    LimitsNotMetError
        With the bound, the node where it is reached, and the cheapest relaxation.
    """
    for number, name in enumerate(LIMITS):
        if not np.isfinite(wanted[number]):
            continue
        least = sizer.space.smallest(number)
        needed, culprit, how = _need(sizer, least, name, int(wanted[number]))
        if needed > wanted[number]:
            raise LimitsNotMetError(
                *(name, needed, int(wanted[number]), culprit),
                reason=f"even with one channel wherever channels may be cut{_with(least)}{how}",
                relaxation=_relaxation(name, needed, sizer.device),
            )


def _need(sizer: Sizer, least: Design, name: str, limit: int) -> tuple[int, str, str]:
    """(least need, node in the way, how that is known) of one limit."""
    if name != "ram":
        sizes = sizer.sizes(least)
        return int(getattr(sizes, name)), sizes.largest_node, ""
    bound, node = least_ram(optimize(sizer.space.realise(least)), ())
    if bound > limit:
        return bound, node, " (proved: so much must live at once)"
    planned = sizer.plan(least, limit)
    return planned.arena, planned.peak_node, " (the smallest plan that was found)"


def _with(least: Design) -> str:
    """The edits of a design in a few words."""
    kinds = Counter(edit.kind for edit in least.edits)
    words = [
        f"{kinds[edit.kind]} times {edit.kind}" if kinds[edit.kind] > 1 else str(edit)
        for edit in least.edits
    ]
    return f" and with {', '.join(dict.fromkeys(words))}" if words else ""


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
