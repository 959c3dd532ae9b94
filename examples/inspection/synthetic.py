"""Circuit boards that are drawn, with defects at known places, in the layout of DeepPCB.

    python examples/inspection/synthetic.py boards.zip

They let the example run without any download; nothing is claimed from them about real boards.
Dark pixels are copper. Each group has its own width and distance of traces and lies its own way.
"""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from boards import KINDS, Board, Pixels
from PIL import Image, ImageDraw

from netsuke.files import write_whole

SIDE = 320  # pixels of a board
FRAME = 10  # pixels that a box leaves around what differs, as DeepPCB's boxes do
APART = 24  # pixels between two boxes


@dataclass(frozen=True, slots=True)
class Trace:
    """A straight vertical conductor: middle, ends and width in pixels."""

    middle: int
    top: int
    bottom: int
    width: int


def draw_boards(groups: int, boards: int, defects: int, seed: int = 0) -> list[Board]:
    """So many boards of each group with up to so many defects each; the same for the same seed."""
    found = []
    for group in range(groups):
        style = np.random.default_rng([seed, group])
        width, pitch, turns = style.integers(8, 14), style.integers(30, 44), style.integers(4)
        for number in range(boards):
            rng = np.random.default_rng([seed, group, number])
            template, traces = _template(int(width), int(pitch), rng)
            tested, boxes, kinds = _damage(template, traces, defects, rng)
            name = f"{group + 1}{number:04d}"
            board = Board(f"group{group + 1}", name, tested, template, boxes, kinds)
            found.append(_turned(board, int(turns)))
    return found


def _template(width: int, pitch: int, rng: np.random.Generator) -> tuple[Pixels, list[Trace]]:
    image = Image.new("L", (SIDE, SIDE), 255)
    pen, traces = ImageDraw.Draw(image), []
    for middle in range(pitch // 2 + int(rng.integers(pitch)), SIDE - pitch // 2, pitch):
        top = int(rng.integers(-40, 60))
        while top < SIDE - 60:
            bottom = min(top + int(rng.integers(90, SIDE)), SIDE + 40)
            trace = Trace(middle, top, bottom, width)
            pen.rectangle((middle - width // 2, top, middle - width // 2 + width - 1, bottom), 0)
            for end in (top, bottom):
                reach = width * rng.uniform(0.6, 1.0)
                pen.ellipse((middle - reach, end - reach, middle + reach, end + reach), 0)
            traces.append(trace)
            top = bottom + int(rng.integers(40, 90))
    return np.asarray(image, np.uint8), traces


def _damage(
    template: Pixels, traces: Sequence[Trace], defects: int, rng: np.random.Generator
) -> tuple[Pixels, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """A damaged copy, its boxes and their kinds."""
    tested, rows, kinds = template, [], []
    for _ in range(4 * defects):
        if len(rows) == defects:
            break
        kind = int(rng.integers(1, len(KINDS)))
        damaged = _with_defect(tested, kind, traces[rng.integers(len(traces))], rng)
        box = _box_of(tested != damaged)
        if box is not None and all(_apart(box, other) for other in rows):
            tested = damaged
            rows.append(box)
            kinds.append(kind)
    return tested, np.array(rows, np.int64).reshape(-1, 4), np.array(kinds, np.int64)


def _with_defect(image: Pixels, kind: int, trace: Trace, rng: np.random.Generator) -> Pixels:
    """The picture with one defect of a kind at a random place of a trace."""
    picture = Image.fromarray(image)
    pen = ImageDraw.Draw(picture)
    low, high = max(trace.top + 20, 20), min(trace.bottom - 20, SIDE - 20)
    if low >= high:
        return image
    down, half = int(rng.integers(low, high)), trace.width / 2
    side, size = int(rng.choice((-1, 1))), rng.uniform(2.0, 3.5)
    edge = trace.middle + side * half
    if kind == 1:
        tilt, gap = rng.uniform(-4, 4), int(rng.integers(3, 7))
        ends = ((trace.middle - half - 2, down - tilt), (trace.middle + half + 2, down + tilt))
        pen.line(ends, fill=255, width=gap)
    elif kind == 2:
        far = edge + side * rng.uniform(24, 34)
        pen.line(((edge, down), (far, down + rng.uniform(-6, 6))), fill=0, width=3)
    elif kind in (3, 4):
        size += 1.0
        fill = 255 if kind == 3 else 0
        pen.ellipse((edge - size, down - size * 1.3, edge + size, down + size * 1.3), fill)
    else:
        middle = trace.middle if kind == 6 else edge + side * rng.uniform(6, 9)
        fill = 255 if kind == 6 else 0
        pen.ellipse((middle - size, down - size, middle + size, down + size), fill)
    return np.asarray(picture, np.uint8)


def _box_of(differs: npt.NDArray[np.bool_]) -> tuple[int, int, int, int] | None:
    """Left, top, right, bottom around what differs; None for less than can be seen."""
    rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
    if np.count_nonzero(differs) < 12:
        return None
    height, width = differs.shape
    return (
        max(0, int(columns[0]) - FRAME),
        max(0, int(rows[0]) - FRAME),
        min(width, int(columns[-1]) + 1 + FRAME),
        min(height, int(rows[-1]) + 1 + FRAME),
    )


def _apart(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return (
        one[0] >= other[2] + APART
        or other[0] >= one[2] + APART
        or one[1] >= other[3] + APART
        or other[1] >= one[3] + APART
    )


def _turned(board: Board, turns: int) -> Board:
    """The board, turned counterclockwise by so many quarters."""
    boxes = board.boxes
    for _ in range(turns):
        left, top, right, bottom = boxes.T
        boxes = np.stack([top, SIDE - right, bottom, SIDE - left], axis=1)
    tested, template = (
        np.ascontiguousarray(np.rot90(image, turns)) for image in (board.tested, board.template)
    )
    return Board(board.group, board.name, tested, template, boxes, board.kinds)


def write_boards(boards: Sequence[Board], path: Path | str) -> None:
    """Write boards as an archive that `boards.read_boards` reads."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for board in boards:
            place = f"{board.group}/{board.name}"
            for suffix, image in (("test", board.tested), ("temp", board.template)):
                encoded = io.BytesIO()
                Image.fromarray(image).save(encoded, "JPEG", quality=95)
                archive.writestr(zipfile.ZipInfo(f"{place}_{suffix}.jpg"), encoded.getvalue())
            lines = [
                " ".join(map(str, (*box, kind)))
                for box, kind in zip(board.boxes.tolist(), board.kinds.tolist(), strict=True)
            ]
            archive.writestr(zipfile.ZipInfo(f"{place}.txt"), "\n".join(lines))
    write_whole(path, stream.getvalue())


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: synthetic.py boards.zip")
    write_boards(draw_boards(groups=4, boards=12, defects=8), sys.argv[1])
