"""Pictures of circuit boards with boxes around their defects, as DeepPCB stores them.

An archive (a folder or a ``.zip``) holds, for each picture, ``<group>/…/<name>_test.jpg`` (a board
under test), ``<name>_temp.jpg`` (the same place of a flawless board) and ``<name>.txt`` with one
line ``left top right bottom kind`` a defect, anywhere below the group's folder. DeepPCB (Tang et
al. 2019, arXiv:1902.06197, MIT licence) is made like this; `synthetic.py` draws boards that are.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt

from netsuke.data.archive import Archive, opened
from netsuke.data.readers.images import decode, pixels
from netsuke.errors import DataError

KINDS = ("none", "open", "short", "mouse bite", "spur", "spurious copper", "pinhole")
"""Names of the kinds of defects by DeepPCB's numbers."""
TEXT = 1 << 20  # bytes of one file of boxes

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Board:
    """One picture of a board under test, and its flawless twin.

    Attributes
    ----------
    group
        The kind of board; pictures of one group look alike, so they never go to two parts.
    name
        Unique within the archive.
    tested, template
        Grey ``(height, width)``.
    boxes
        ``(n, 4)``: left, top, right, bottom in pixels; right and bottom lie outside.
    kinds
        ``(n,)``: an index into `KINDS`.
    """

    group: str
    name: str
    tested: Pixels
    template: Pixels
    boxes: npt.NDArray[np.int64]
    kinds: npt.NDArray[np.int64]


def read_boards(path: Path | str) -> list[Board]:
    """Read all boards of an archive, in the order of their names.

    Raises
    ------
    DataError
        When there are none, or a picture or a file of boxes is missing or damaged.
    """
    path = Path(path)
    if not path.exists():
        raise DataError(str(path), "does not exist; give a folder or a .zip of boards")
    with opened(path) as archive:
        files: dict[str, str] = {}
        for name in archive.names:
            twin = files.setdefault(PurePosixPath(name).name, name)
            if twin != name and name.endswith((".jpg", ".txt")):
                raise DataError(f"{path}: {name}", f"has the name of {twin}; names are unique")
        tested = [name for name in archive.names if name.endswith("_test.jpg")]
        if not tested:
            raise DataError(str(path), "holds no <name>_test.jpg; give a folder or .zip of boards")
        return [_board(archive, name, files) for name in tested]


def _board(archive: Archive, tested: str, files: dict[str, str]) -> Board:
    name = PurePosixPath(tested).name.removesuffix("_test.jpg")
    for wanted in (f"{name}_temp.jpg", f"{name}.txt"):
        if wanted not in files:
            raise DataError(f"{archive.path}: {tested}", f"has no {wanted} beside it")
    first, second = _grey(archive, tested), _grey(archive, files[f"{name}_temp.jpg"])
    if first.shape != second.shape:
        raise DataError(f"{archive.path}: {tested}", f"is {first.shape}, its twin {second.shape}")
    boxes = _boxes(archive, files[f"{name}.txt"], first.shape)
    return Board(_group(tested), name, first, second, boxes[:, :4], boxes[:, 4])


def _group(name: str) -> str:
    """The first folder that has ``group`` in its name, else the one that the file lies in."""
    folders = PurePosixPath(name).parts[:-1] or ("all",)
    return next((folder for folder in folders if "group" in folder.lower()), folders[-1])


def _grey(archive: Archive, name: str) -> Pixels:
    image = decode(archive.read(name), f"{archive.path}: {name}")
    grey: Pixels = pixels(image, image.height, image.width, 1)[:, :, 0]
    return grey


def _boxes(archive: Archive, name: str, shape: tuple[int, ...]) -> npt.NDArray[np.int64]:
    place = f"{archive.path}: {name}"
    rows = []
    text = archive.read(name, TEXT).decode("ascii", "replace")
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.replace(",", " ").split()
        if not fields:
            continue
        if len(fields) != 5 or not all(field.isdecimal() and len(field) < 8 for field in fields):
            raise DataError(f"{place}:{number}", f"is {line[:60]!r}, not five whole numbers")
        left, top, right, bottom, kind = map(int, fields)
        inside = left < right <= shape[1] and top < bottom <= shape[0]
        if not inside or not 1 <= kind < len(KINDS):
            raise DataError(
                f"{place}:{number}",
                f"box {left} {top} {right} {bottom} of kind {kind} does not lie in "
                f"{shape[1]} x {shape[0]} pixels with a kind from 1 to {len(KINDS) - 1}",
            )
        rows.append((left, top, right, bottom, kind))
    return np.array(rows, np.int64).reshape(-1, 5)
