"""What a reader hands over: values as stored in the files, before splitting and normalising."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from netsuke.errors import DataError
from netsuke.ir import Array
from netsuke.spec import Options

MEMORY = 2 << 30  # bytes that the stored values of one data set may take


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """Everything that was read.

    Attributes
    ----------
    samples
        ``(m, *shape)``, uint8 or float32.
    targets
        Class numbers (int64), real targets (float32), or None.
    part
        ``(m,)``: 0 undecided (or training), 1 validation, 2 test, as the files say.
    classes
        Names by class number; empty where there are none.
    full
        The stored value that stands for 1.0 (255 for bytes); 0 where there is no such thing.
    normalise
        The normalisation that fits these values if none is asked for.
    axis
        Sample axes that ``standard`` keeps apart (channels, coefficients).
    groups
        ``(m,)``: samples of one group (a speaker, a machine) never go to two parts; or None.
    features
        See `Dataset`.
    """

    samples: Array
    targets: Array | None
    part: Array
    classes: tuple[str, ...] = ()
    full: float = 255.0
    normalise: str = "unit"
    axis: tuple[int, ...] = (-1,)
    groups: Array | None = None
    features: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reader:
    """One way data lie on a disk.

    Attributes
    ----------
    name, what
        For listings: a key and a line of description.
    options
        Option -> what it does.
    accepts
        Whether a path looks like this format; reads names and first bytes only.
    read
        Read it. The last argument is the seed, for the choice that ``limit`` makes.
    """

    name: str
    what: str
    options: Mapping[str, str]
    accepts: Callable[[Path], bool]
    read: Callable[[Path, Options, int], Source]


def check_memory(place: str, needed: int) -> None:
    """Refuse to hold more than `MEMORY` bytes of values.

    Raises
    ------
    DataError
        Saying how many bytes it would take and what to try.
    """
    if needed > MEMORY:
        raise DataError(
            place,
            f"would take {needed:,} B of memory, the limit is {MEMORY:,} B; "
            "try ?limit=N (samples) or, for images, ?size=N (pixels)",
        )


def number_classes(place: str, labels: Array) -> tuple[Array, tuple[str, ...]]:
    """Turn any labels into class numbers 0 … n - 1 and names; whole numbers from 0 stay.

    Raises
    ------
    DataError
        When there is only one class, or nearly as many classes as samples.
    """
    values, numbers = np.unique(labels, return_inverse=True)
    if values.dtype.kind in "iub" and values.size and values[0] >= 0 and values[-1] < values.size:
        numbers = labels.astype(np.int64)
    if len(values) < 2:
        raise DataError(place, f"has {len(values)} class(es); at least two are needed")
    if len(values) > 20 and len(values) > len(labels) // 2:
        raise DataError(
            place,
            f"has {len(values)} different labels for {len(labels)} samples; for real targets "
            "say ?task=regression",
        )
    return numbers.astype(np.int64), tuple(str(value) for value in values)
