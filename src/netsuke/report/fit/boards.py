"""Which boards of the catalogue hold a design: would a smaller chip do?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from netsuke.devices import Device, device, device_ids
from netsuke.errors import DeviceError
from netsuke.report.fit.designs import Shown


@dataclass(frozen=True, slots=True)
class Board:
    """A board, and what of a run it holds.

    Attributes
    ----------
    id, name, core
        From the catalogue.
    flash, ram
        Bytes that it has.
    here
        Whether the run was for this board.
    planned
        Whether its core is the one that sizes were planned for; for others they are modelled.
    lacking
        Memories that are too small for the chosen network.
    best
        The best design of the front that it holds, or None.
    """

    id: str
    name: str
    core: str
    flash: int
    ram: int
    here: bool
    planned: bool
    lacking: tuple[str, ...]
    best: Shown | None


def boards(
    flash: int, ram: int, front: Sequence[Shown], target: Mapping[str, Any]
) -> tuple[Board, ...]:
    """All boards, smallest first.

    Parameters
    ----------
    flash, ram
        Bytes that the chosen network takes.
    front
        Designs that no other beats.
    target
        The device of the run, as a manifest describes it.
    """
    like = (str(target["core"]), frozenset(target["isa"]))
    known = [*_catalogue()]
    rows = [
        (each.id, each.name, each.core, each.flash, each.ram, like == (each.core, each.isa))
        for each in known
    ]
    if target["id"] not in [each.id for each in known]:
        ram_there = sum(map(int, target["arenas"].values()))
        name = str(target["name"])
        rows.append((str(target["id"]), name, like[0], int(target["flash"]), ram_there, True))
    found = []
    for place, name, core, board_flash, board_ram, planned in rows:
        needs = (("flash", flash, board_flash), ("RAM", ram, board_ram))
        held = [each for each in front if each.flash <= board_flash and each.ram <= board_ram]
        found.append(
            Board(
                *(place, name, core, board_flash, board_ram, place == target["id"], planned),
                lacking=tuple(memory for memory, need, has in needs if need > has),
                best=max(held, key=lambda each: each.score, default=None),
            )
        )
    return tuple(sorted(found, key=lambda board: (board.flash + board.ram, board.id)))


def _catalogue() -> list[Device]:
    found = []
    for name in device_ids():
        try:
            found.append(device(name))
        except DeviceError:  # a damaged file of a person's own says so when it is used
            continue
    return found
