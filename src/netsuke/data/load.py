"""From a name or a path to a data set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from netsuke.data.dataset import CHUNK, Dataset, Normalisation, Part
from netsuke.data.readers import READERS
from netsuke.data.source import Reader, Source
from netsuke.data.split import mixed_order, split
from netsuke.errors import DataError
from netsuke.ir import Array
from netsuke.spec import Options, parse_spec

NORMALISATIONS = ("unit", "symmetric", "standard", "raw")

OPTIONS = {
    "limit": "use at most so many samples, the classes in proportion",
    "validation": "fraction of the training samples for validation (0.1)",
    "test": "fraction of all samples for the test, where the files set none apart (0.2)",
    "normalise": f"one of {', '.join(NORMALISATIONS)}",
    "seed": "which samples go where (0)",
}
"""Options that every reader has."""


def data_names() -> dict[str, str]:
    """What `load_data` reads: name of the format -> description."""
    return {reader.name: reader.what for reader in READERS}


def data_options(name: str) -> dict[str, str]:
    """Options of a format: option -> what it does."""
    reader = next(reader for reader in READERS if reader.name == name)
    return {**OPTIONS, **reader.options}


def load_data(spec: str | Path, seed: int = 0) -> Dataset:
    """Read a data set.

    Parameters
    ----------
    spec
        ``digits`` (embedded: 1,797 images of 8 × 8), or a path: a folder of idx files, an
        ``.npz``, a folder or ``.zip`` of class folders of images, CIFAR as it comes (folder or
        ``.tar.gz``), a folder or ``.zip`` of ``<label>_*.wav``, a ``.csv``. Options follow a
        question mark: ``parts/?size=96&limit=1000``.
    seed
        Which samples go to which part; the option ``seed`` comes first.

    Returns
    -------
    Dataset
        Training, validation and test part; the same for the same text, files and seed.

    Raises
    ------
    DataError
        When the data are missing, empty, corrupt, or do not match their labels.
    UsageError
        When an option is unknown or wrong.
    """
    text = str(spec)
    options = Options(text, {}) if Path(text).exists() else parse_spec(text)
    reader = _reader(options.place)
    options.expect({**OPTIONS, **reader.options})
    seed = options.integer("seed", seed, 0, (1 << 63) - 1)
    fractions = (
        options.number("validation", 0.1, 0.0, 0.9),
        options.number("test", 0.2, 0.0, 0.9),
    )
    if sum(fractions) > 0.95:
        raise DataError(text, f"validation and test take {sum(fractions):.0%} of the samples")
    source = _limit(reader.read(Path(options.place), options, seed), options, seed)
    _check(source, text)
    places = split(source.targets, source.part, source.groups, fractions, seed)
    wish = options.choice("normalise", source.normalise, NORMALISATIONS)
    normalisation = _normalisation(source, places[0], wish, text)
    train, validation, test = (
        Part(source.samples, place, source.targets, normalisation) for place in places
    )
    task = "classification" if source.classes else "regression"
    return Dataset(
        name=text,
        train=train,
        validation=validation,
        test=test,
        classes=source.classes,
        task=task if source.targets is not None else "unlabelled",
        features=source.features,
    )


def _reader(place: str) -> Reader:
    path = Path(place)
    if place == "digits":
        return READERS[0]
    if not path.exists():
        raise DataError(place, f"does not exist; give a path, or one of: {READERS[0].name}")
    for reader in READERS[1:]:
        try:
            if reader.accepts(path):
                return reader
        except OSError as error:
            raise DataError(place, f"cannot be read: {error}") from None
    known = "\n".join(f"  {reader.name}: {reader.what}" for reader in READERS)
    raise DataError(place, f"holds nothing that is known; known are\n{known}")


def _limit(source: Source, options: Options, seed: int) -> Source:
    """Keep at most ``limit`` samples of what is undecided, and of each part that is given."""
    limit = options.integer("limit", 0, 0)
    if not limit:
        return source
    kept = []
    for number in range(3):
        members = np.flatnonzero(source.part == number)
        targets = None if source.targets is None else source.targets[members]
        kept.append(members[mixed_order(targets, members.size, seed)[:limit]])
    chosen = np.sort(np.concatenate(kept))
    if chosen.size == len(source.part):
        return source
    return replace(
        source,
        samples=source.samples[chosen],
        targets=None if source.targets is None else source.targets[chosen],
        part=source.part[chosen],
        groups=None if source.groups is None else source.groups[chosen],
    )


def _check(source: Source, place: str) -> None:
    count = len(source.samples)
    if not count or not np.prod(source.samples.shape):
        raise DataError(place, f"is empty: shape {list(source.samples.shape)}")
    if source.targets is not None and len(source.targets) != count:
        raise DataError(place, f"has {count:,} samples and {len(source.targets):,} labels")
    if source.targets is not None and not np.isfinite(source.targets).all():
        raise DataError(place, "has a label that is not finite")
    if source.samples.dtype == np.float32:
        for start in range(0, count, CHUNK):
            rows = source.samples[start : start + CHUNK].reshape(-1, source.samples[0].size)
            wrong = np.flatnonzero(~np.isfinite(rows).all(axis=1))
            if wrong.size:
                raise DataError(
                    place, f"sample {start + wrong[0]} holds a value that is not finite"
                )
    if source.classes and source.targets is not None:
        low, high = int(source.targets.min()), int(source.targets.max())
        if low < 0 or high >= len(source.classes):
            raise DataError(
                place,
                f"labels run from {low} to {high}, but there are {len(source.classes)} classes",
            )


def _normalisation(source: Source, train: Array, wish: str, place: str) -> Normalisation:
    one, zero = np.ones((), np.float32), np.zeros((), np.float32)
    if wish == "raw":
        return Normalisation(wish, one, zero)
    if wish in ("unit", "symmetric"):
        if not source.full:
            raise DataError(place, f"holds real values without a range; {wish} has no meaning")
        step = np.float32((1.0 if wish == "unit" else 2.0) / source.full)
        return Normalisation(wish, np.asarray(one * step), zero if wish == "unit" else -one)
    rank = source.samples.ndim - 1
    kept = {axis % rank for axis in source.axis}
    axes = tuple(axis + 1 for axis in range(rank) if axis not in kept)
    total, squares, count = 0.0, 0.0, 0
    for start in range(0, train.size, CHUNK):
        chunk = source.samples[train[start : start + CHUNK]].astype(np.float64)
        total = total + chunk.sum(axis=(0, *axes), keepdims=True)[0]
        squares = squares + np.square(chunk).sum(axis=(0, *axes), keepdims=True)[0]
        count += chunk.size // max(1, np.asarray(total).size)
    mean = np.asarray(total) / count
    deviation = np.sqrt(np.maximum(np.asarray(squares) / count - mean**2, 0.0))
    # A value that never changes carries nothing; dividing by its deviation would make noise of it.
    deviation = np.where(deviation < 1e-6 * np.maximum(1.0, np.abs(mean)), 1.0, deviation)
    scale = (1.0 / deviation).astype(np.float32)
    return Normalisation("standard", scale, (-mean / deviation).astype(np.float32))
