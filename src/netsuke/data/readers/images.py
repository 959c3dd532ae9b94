"""Images in one folder a class, or a ``.zip`` or ``.tar.gz`` of such folders, read in place."""

from __future__ import annotations

import io
import warnings
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from netsuke.data.archive import Archive, listing, opened
from netsuke.data.source import Reader, Source, check_memory, number_classes
from netsuke.data.split import mixed_order
from netsuke.errors import DataError, MissingToolError
from netsuke.ir import Array
from netsuke.spec import Options

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".ppm", ".pgm", ".webp", ".gif", ".tif", ".tiff")
PARTS = {
    "train": 0,
    "training": 0,
    "val": 1,
    "valid": 1,
    "validation": 1,
    "test": 2,
    "testing": 2,
}
PIXELS = 64 << 20  # of one image


def _is_image(name: str) -> bool:
    return name.lower().endswith(SUFFIXES)


def _accepts(path: Path) -> bool:
    return any(map(_is_image, listing(path)))


def _listing(names: list[str], place: str) -> list[tuple[str, str, int]]:
    """(file, class, part) of each image, from its folders."""
    paths = [PurePosixPath(name) for name in names]
    depth = 0
    while all(len(path.parts) > depth + 2 for path in paths) and (
        len({path.parts[depth] for path in paths}) == 1
    ):
        if paths[0].parts[depth].lower() in PARTS:
            break
        depth += 1
    heads = {path.parts[depth].lower() for path in paths}
    given = heads <= PARTS.keys()
    rows = []
    for name, path in zip(names, paths, strict=True):
        inner = path.parts[depth + given : -1]
        if not inner:
            raise DataError(f"{place}: {name}", "lies in no class folder (<class>/<image>)")
        part = PARTS[path.parts[depth].lower()] if given else 0
        rows.append((name, inner[0], part))
    return rows


def _read(path: Path, options: Options, seed: int) -> Source:
    place = str(path)
    size = options.extents("size", None)
    channels = options.integer("channels", 0, 0, 3)
    with opened(path) as archive:
        rows = _listing([name for name in archive.names if _is_image(name)], place)
        targets, classes = number_classes(place, np.array([row[1] for row in rows]))
        part = np.array([row[2] for row in rows], np.int8)
        limit = options.integer("limit", 0, 0)
        if limit:
            chosen = np.sort(_choose(targets, part, limit, seed))
            rows, targets, part = [rows[i] for i in chosen], targets[chosen], part[chosen]
        samples = _load(archive, [row[0] for row in rows], size, channels)
    return Source(samples, targets, part, classes)


def _choose(targets: Array, part: Array, limit: int, seed: int) -> Array:
    """At most `limit` of each given part, before anything is decoded."""
    members = [np.flatnonzero(part == number) for number in range(3)]
    return np.concatenate(
        [where[mixed_order(targets[where], where.size, seed)[:limit]] for where in members]
    )


def _load(archive: Archive, names: list[str], size: tuple[int, ...] | None, channels: int) -> Array:
    place = str(archive.path)
    first = decode(archive.read(names[0]), f"{place}: {names[0]}")
    if size is None:
        height, width = first.height, first.width
    else:
        height, width = size if len(size) == 2 else (size[0], size[0])
    depth = channels or (1 if first.mode in ("L", "1") else 3)
    if depth == 2:
        raise DataError(place, "channels=2 is neither grey (1) nor colour (3)")
    check_memory(place, len(names) * height * width * depth)
    samples = np.empty((len(names), height, width, depth), np.uint8)
    for index, name in enumerate(names):
        image = decode(archive.read(name), f"{place}: {name}")
        if size is None and (image.height, image.width) != (height, width):
            raise DataError(
                f"{place}: {name}",
                f"has {image.width} x {image.height} pixels, {names[0]} has {width} x {height}; "
                f"say ?size={min(height, width)} to bring all to one size",
            )
        samples[index] = pixels(image, height, width, depth)
    return samples


def decode(raw: bytes, place: str) -> Any:
    """Return a Pillow image, decoded.

    Raises
    ------
    DataError
        When it is no image, broken, or larger than `PIXELS`.
    """
    try:
        from PIL import Image
    except ImportError:
        raise MissingToolError("Pillow", "to read images", "pip install Pillow") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(raw))
            if image.width * image.height > PIXELS:
                raise DataError(place, f"has {image.width} x {image.height} pixels, too many")
            image.load()
            return _in_bytes(image, place)
    except DataError:
        raise
    except Exception as error:  # Pillow's decoders raise whatever they meet in a broken file
        why = "its format is unknown" if type(error).__name__ == "UnidentifiedImageError" else error
        raise DataError(place, f"is no image that can be read: {why}") from None


def _in_bytes(image: Any, place: str) -> Any:
    """The image with values of 8 bits; Pillow itself would cut off larger ones."""
    if image.mode == "F":
        raise DataError(place, "is no image that can be read: it holds real numbers")
    if not image.mode.startswith("I"):
        return image
    from PIL import Image

    values = np.asarray(image)
    if values.size and not 0 <= int(values.min()) <= int(values.max()) < 1 << 16:
        raise DataError(place, "is no image that can be read: it has more than 16 bits")
    return Image.fromarray((values.astype(np.uint32) >> 8).astype(np.uint8))


def pixels(image: Any, height: int, width: int, depth: int) -> Array:
    """uint8 ``(height, width, depth)`` of an image, stretched by antialiased bilinear filtering."""
    from PIL import Image

    image = image.convert("L" if depth == 1 else "RGB")
    if (image.height, image.width) != (height, width):
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(image, np.uint8).reshape(height, width, depth)


IMAGES = Reader(
    "images",
    "class folders of images (or train/, test/ with class folders), or a .zip or .tar.gz of them",
    {
        "size": "pixels of the sides, 96 or 96x64 (height x width); needed when images differ",
        "channels": "1 grey, 3 colour (as the first image is)",
    },
    _accepts,
    _read,
)
