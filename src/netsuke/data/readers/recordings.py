"""Recordings named ``<label>_<anything>.wav``, or one folder a label, as mel features."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np

from netsuke.data.archive import Archive, listing, opened
from netsuke.data.mel import MelFeatures
from netsuke.data.readers.images import PARTS
from netsuke.data.readers.wav import read_wav
from netsuke.data.source import Reader, Source, check_memory, number_classes
from netsuke.data.split import mixed_order
from netsuke.errors import DataError
from netsuke.spec import Options

WAV = 256 << 20  # bytes of one recording


def _accepts(path: Path) -> bool:
    return any(name.lower().endswith(".wav") for name in listing(path))


def _listing(archive: Archive, field: int | None) -> list[tuple[str, str, int, str]]:
    """(file, label, part, group) of each recording."""
    rows = []
    names = [PurePosixPath(n) for n in archive.names if n.lower().endswith(".wav")]
    by_folder = len({path.parent.name for path in names}) > 1 and not any(
        path.parent.name.lower() in PARTS for path in names
    )
    for path in names:
        parts = [PARTS[p.lower()] for p in path.parts[:-1] if p.lower() in PARTS]
        fields = path.stem.split("_")
        if not by_folder and len(fields) < 2:
            raise DataError(f"{archive.path}: {path}", "is not named <label>_<anything>.wav")
        label = path.parent.name if by_folder else fields[0]
        if field is not None and field >= len(fields):
            raise DataError(
                f"{archive.path}: {path}", f"has no field {field} between underscores for ?group"
            )
        group = "" if field is None else fields[field]
        rows.append((str(path), label, parts[0] if parts else 0, group))
    return rows


def _read(path: Path, options: Options, seed: int) -> Source:
    place = str(path)
    field = options.integer("group", 0, 0, 99) if "group" in options.values else None
    with opened(path) as archive:
        rows = _listing(archive, field)
        targets, classes = number_classes(place, np.array([row[1] for row in rows]))
        limit = options.integer("limit", 0, 0)
        if limit:
            chosen = np.sort(mixed_order(targets, len(rows), seed)[:limit])
            rows, targets = [rows[index] for index in chosen], targets[chosen]
        features = _features(archive, rows[0][0], options)
        check_memory(place, 4 * len(rows) * int(np.prod(features.shape)))
        samples = np.empty((len(rows), *features.shape), np.float32)
        for index, row in enumerate(rows):
            where = f"{place}: {row[0]}"
            recording, rate = read_wav(archive.read(row[0], WAV), where)
            if rate != features.rate:
                raise DataError(where, f"has {rate} Hz, {rows[0][0]} has {features.rate} Hz")
            samples[index] = features.compute(recording)
    return Source(
        samples=samples,
        targets=targets,
        part=np.array([row[2] for row in rows], np.int8),
        classes=classes,
        full=0.0,
        normalise="standard",
        axis=(1,),
        groups=None if field is None else np.array([row[3] for row in rows]),
        features=features.record(),
    )


def _features(archive: Archive, name: str, options: Options) -> MelFeatures:
    _, rate = read_wav(archive.read(name, WAV), f"{archive.path}: {name}")
    bands = options.integer("bands", 40, 1, 512)
    return MelFeatures(
        kind=options.choice("features", "mfcc", ("mfcc", "logmel")),
        rate=rate,
        seconds=options.number("seconds", 1.0, 0.01, 600.0),
        window=options.number("window", 30.0, 1.0, 1000.0) / 1000.0,
        hop=options.number("hop", 20.0, 1.0, 1000.0) / 1000.0,
        bands=bands,
        coefficients=options.integer("coefficients", min(10, bands), 1, bands),
    )


RECORDINGS = Reader(
    "recordings",
    "<label>_*.wav, or one folder a label, in a folder or .zip, as log-mel or MFCC features",
    {
        "features": "mfcc or logmel (mfcc)",
        "seconds": "length of every recording after cutting or filling (1)",
        "window": "milliseconds of a frame (30)",
        "hop": "milliseconds between frames (20)",
        "bands": "mel bands (40)",
        "coefficients": "cepstral coefficients (10)",
        "group": "field of the name between underscores (0 is the label) that must not go to two "
        "parts, such as the speaker",
    },
    _accepts,
    _read,
)
