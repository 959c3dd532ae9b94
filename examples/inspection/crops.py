"""Cut pictures of boards into what a camera sees, with and without a defect.

    python examples/inspection/crops.py DeepPCB.zip -o crops.npz [--size 96]

Writes ``x_train``, ``y_train``, ``x_validation`` … (uint8 ``(n, size, size, 3)``; 1 is a defect),
which `netsuke train` and `netsuke fit` read. No group of boards is in two parts: the middle one
by its number of defects is sealed for the test, the smallest one is for validation, and all others
are for training. A crop has a defect when it holds a whole box and `MARGIN` pixels around it, and
none when it does not touch any; what lies between is left out. For each defect there are two crops
with it, at different places, and two without: one of the flawless twin at the very same place, and
one of the board under test, anywhere.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from boards import Board, Pixels, read_boards
from camera import Words, photograph, unpack_rgb565
from rich.console import Console
from rich.progress import track

from netsuke.errors import DataError, NetsukeError, UsageError
from netsuke.files import write_whole

MARGIN = 4  # pixels around a box that a crop must hold, too
VIEWS = 2  # crops a defect
TRIES = 200  # places that are tried for a crop without a defect
PARTS = ("train", "validation", "test")

Place = tuple[int, int]


def parts_of_groups(boards: Sequence[Board]) -> dict[str, str]:
    """Group -> part.

    Raises
    ------
    DataError
        When there are fewer than three groups with defects.
    """
    counts: dict[str, int] = {}
    for board in boards:
        counts[board.group] = counts.get(board.group, 0) + len(board.boxes)
    ordered = sorted((count, group) for group, count in counts.items() if count)
    if len(ordered) < 3:
        raise DataError("boards", f"{len(ordered)} group(s) have defects; three parts need three")
    parts = dict.fromkeys(counts, "train")
    parts[ordered[0][1]] = "validation"
    parts[ordered[len(ordered) // 2][1]] = "test"
    return parts


def place_around(
    box: npt.NDArray[np.int64],
    shape: tuple[int, ...],
    size: tuple[int, int],
    rng: np.random.Generator,
) -> Place | None:
    """A random (top, left) of a crop that holds a whole box with its margin, or None."""
    left, top, right, bottom = (int(value) for value in box)
    spans = ((top, bottom, shape[0], size[0]), (left, right, shape[1], size[1]))
    starts = []
    for low, high, extent, wanted in spans:
        first = max(0, min(high + MARGIN, extent) - wanted)
        last = min(max(low - MARGIN, 0), extent - wanted)
        if first > last:
            return None
        starts.append(int(rng.integers(first, last + 1)))
    return starts[0], starts[1]


def touches(place: Place, size: tuple[int, int], boxes: npt.NDArray[np.int64]) -> bool:
    """Whether a crop comes within the margin of any box."""
    top, left = place
    apart = (
        (boxes[:, 0] - MARGIN >= left + size[1])
        | (boxes[:, 2] + MARGIN <= left)
        | (boxes[:, 1] - MARGIN >= top + size[0])
        | (boxes[:, 3] + MARGIN <= top)
    )
    return not bool(apart.all())


def place_apart(board: Board, size: tuple[int, int], rng: np.random.Generator) -> Place | None:
    """A random (top, left) of a crop that touches no box, or None when none is found."""
    height, width = board.tested.shape
    for _ in range(TRIES):
        place = (
            int(rng.integers(0, height - size[0] + 1)),
            int(rng.integers(0, width - size[1] + 1)),
        )
        if not touches(place, size, board.boxes):
            return place
    return None


def cut(image: Pixels, place: Place, size: tuple[int, int]) -> Pixels:
    """``(height, width)`` of an image at a place (top, left)."""
    return image[place[0] : place[0] + size[0], place[1] : place[1] + size[1]]


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What the camera sees of a board at one place.

    Attributes
    ----------
    frame
        RGB565 ``(height, width)``.
    kind
        Of the defect around which it was placed, an index into `boards.KINDS`; 0 without any.
    twin
        Whether it shows the flawless twin.
    """

    frame: Words
    kind: int
    twin: bool


def views_of(board: Board, size: tuple[int, int], rng: np.random.Generator) -> list[View]:
    """All views of a board in frames of a size, turned by quarters, or halves if not square.

    There are as many with a defect as without, as a rule.
    """
    found: list[View] = []
    step = 1 if size[0] == size[1] else 2

    def see(image: Pixels, place: Place, turns: int, kind: int) -> None:
        frame = photograph(np.rot90(cut(image, place, size), turns // step * step), rng)
        found.append(View(frame, kind, image is board.template))

    for box, kind in zip(board.boxes, board.kinds, strict=True):
        for view in range(VIEWS):
            place, turns = place_around(box, board.tested.shape, size, rng), int(rng.integers(4))
            if place is None:
                continue
            see(board.tested, place, turns, int(kind))
            free = place_apart(board, size, rng) if view % 2 else None
            if free is None:
                see(board.template, place, turns, 0)
            else:
                see(board.tested, free, int(rng.integers(4)), 0)
    return found


def make_crops(boards: Sequence[Board], size: int, seed: int) -> dict[str, Any]:
    """All arrays of the archive; the same for the same boards, size and seed."""
    for board in boards:
        if min(board.tested.shape) < size:
            raise UsageError(f"{board.name} is {board.tested.shape}; no crop of {size} fits")
    parts = parts_of_groups(boards)
    console = Console(stderr=True)
    found: dict[str, list[tuple[View, int]]] = {part: [] for part in PARTS}
    for number, board in enumerate(
        track(boards, "cutting boards", console=console, disable=not console.is_terminal)
    ):
        views = views_of(board, (size, size), np.random.default_rng([seed, number]))
        found[parts[board.group]] += [(view, number) for view in views]
    arrays: dict[str, Any] = {"groups": np.array([f"{g}: {p}" for g, p in sorted(parts.items())])}
    for part, views in found.items():
        if not views:
            raise DataError("boards", f"no defect of the {part} groups fits into {size} pixels")
        kinds = np.array([view.kind for view, _ in views], np.uint8)
        arrays[f"x_{part}"] = np.stack([unpack_rgb565(view.frame) for view, _ in views])
        arrays[f"y_{part}"] = (kinds > 0).astype(np.uint8)
        arrays[f"kind_{part}"] = kinds
        arrays[f"twin_{part}"] = np.array([view.twin for view, _ in views], np.uint8)
        arrays[f"board_{part}"] = np.array([number for _, number in views], np.uint16)
    return arrays


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, write the crops, and say what they are."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("boards", help="folder or .zip of boards, as DeepPCB stores them")
    parser.add_argument("-o", "--out", type=Path, required=True, help="the .npz to write")
    parser.add_argument("--size", type=int, default=96, help="pixels of a crop's sides (96)")
    parser.add_argument("--seed", type=int, default=0, help="of places, light and noise (0)")
    given = parser.parse_args(arguments)
    try:
        if not 16 <= given.size <= 4096 or given.seed < 0 or given.out.suffix != ".npz":
            raise UsageError("--size is 16 to 4096, --seed is 0 or more, --out ends in .npz")
        arrays = make_crops(read_boards(given.boards), given.size, given.seed)
        write_whole(given.out, lambda stream: np.savez(stream, **arrays))
    except NetsukeError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    for part in PARTS:
        kinds, twins = arrays[f"kind_{part}"], arrays[f"twin_{part}"]
        groups = [text.split(":")[0] for text in arrays["groups"] if text.endswith(f": {part}")]
        print(
            f"{part}: {len(kinds):,} crops, {np.count_nonzero(kinds):,} with a defect, "
            f"{np.count_nonzero(twins):,} of flawless twins; groups {', '.join(groups)}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
