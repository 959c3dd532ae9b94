"""Which function converts which TensorFlow Lite operator."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from netsuke.frontend.tflite.call import Call
from netsuke.ir import Array

Converter: TypeAlias = Callable[[Call], None]
Folder: TypeAlias = Callable[[Call], Array]

CONVERTERS: dict[str, Converter] = {}
"""TensorFlow Lite's name of an operator -> the function that appends its nodes."""

FOLDERS: dict[str, Folder] = {}
"""Operators on constants that are computed while the file is read -> the function that does."""


def converts(*kinds: str) -> Callable[[Converter], Converter]:
    """Register a converter."""

    def register(function: Converter) -> Converter:
        CONVERTERS.update(dict.fromkeys(kinds, function))
        return function

    return register


def folds(*kinds: str) -> Callable[[Folder], Folder]:
    """Register a function that computes an operator whose inputs are constants."""

    def register(function: Folder) -> Folder:
        FOLDERS.update(dict.fromkeys(kinds, function))
        return function

    return register


def fold(call: Call) -> Array | None:
    """The operator's value if all its inputs are constants and it has a folder, else None."""
    folder = FOLDERS.get(call.operator.kind)
    if folder is None or not call.is_constant_call():
        return None
    with np.errstate(all="ignore"):
        return np.asarray(folder(call), order="C")
