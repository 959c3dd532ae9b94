"""Which function writes which operator; the functions stand in `forms`, one family a file."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable
from typing import Any

from netsuke.ir import Op

FORMS: dict[type[Op], Callable[[Any], None]] = {}


def writes(*operators: type[Op]) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    """Register a function that writes nodes of these operators."""

    def register(function: Callable[[Any], None]) -> Callable[[Any], None]:
        for operator in operators:
            FORMS[operator] = function
        return function

    return register


@functools.cache
def load_forms() -> None:
    """Import every file of `forms`, so that they register themselves."""
    from netsuke.codegen.onnx import forms

    for module in pkgutil.iter_modules(forms.__path__):
        importlib.import_module(f"{forms.__name__}.{module.name}")
