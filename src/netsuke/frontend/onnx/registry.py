"""How an ONNX operator gets its converter, and what a converter sees."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import numpy as np

from netsuke.frontend.nchw.session import Session
from netsuke.frontend.nchw.value import CannotImportError, Value
from netsuke.ir import Array, Op


@dataclass(frozen=True, slots=True)
class Call:
    """One node of the file and the values of its inputs.

    Attributes
    ----------
    session
        The import under way.
    node
        The NodeProto.
    opset
        Version of its domain.
    inputs
        Values; None for an input that is left out.
    used
        Which outputs somebody reads.
    """

    session: Session
    node: Any
    opset: int
    inputs: tuple[Value | None, ...]
    used: tuple[bool, ...]

    def __getitem__(self, index: int) -> Value:
        value = self.optional(index)
        if value is None:
            raise CannotImportError(f"input {index} is missing")
        return value

    def optional(self, index: int) -> Value | None:
        return self.inputs[index] if index < len(self.inputs) else None

    def wants(self, index: int) -> bool:
        """Whether somebody reads an output."""
        return index < len(self.used) and self.used[index]

    def refuse_output(self, index: int, name: str) -> None:
        """Raise when somebody reads an output that we do not make."""
        if self.wants(index):
            raise CannotImportError(f"its output {name} is used, which is not supported")

    def emit(self, op: Op, *values: Value) -> Value:
        return self.session.emit(op, *values)

    def attribute(self, name: str, default: Any = None) -> Any:
        """An attribute as a Python value; strings are str."""
        from onnx import helper

        for attribute in self.node.attribute:
            if attribute.name == name:
                value = helper.get_attribute_value(attribute)
                if isinstance(value, bytes):
                    return value.decode(errors="replace")
                if isinstance(value, list) and value and isinstance(value[0], bytes):
                    return [entry.decode(errors="replace") for entry in value]
                return value
        return default

    def integer(self, name: str, default: int) -> int:
        return int(self.attribute(name, default))

    def real(self, name: str, default: float) -> float:
        return float(self.attribute(name, default))

    def flag(self, name: str, default: bool = False) -> bool:
        return bool(self.attribute(name, default))

    def integers(self, name: str) -> tuple[int, ...] | None:
        """A list of integers, or None when the attribute is left out."""
        value = self.attribute(name)
        return None if value is None else tuple(int(entry) for entry in value)

    def known(self, index: int) -> Array | None:
        """The array of a constant input, None when it is left out.

        Raises
        ------
        CannotImportError
            When it is computed.
        """
        value = self.optional(index)
        if value is None:
            return None
        if value.data is None:
            raise CannotImportError(f"input {index} ({value.label!r}) must be constant")
        return value.data

    def known_integers(self, index: int) -> tuple[int, ...] | None:
        """A constant vector of integers, None when it is left out."""
        array = self.known(index)
        return None if array is None else tuple(int(entry) for entry in array.reshape(-1))

    def list_of(self, name: str, index: int) -> tuple[int, ...] | None:
        """Integers that older opsets give as an attribute and newer ones as an input."""
        listed = self.integers(name)
        return self.known_integers(index) if listed is None else listed

    def known_real(self, index: int, default: float) -> float:
        """A constant number."""
        array = self.known(index)
        if array is None or array.size == 0:
            return default
        if array.size != 1:
            raise CannotImportError(f"input {index} must be one number")
        return float(np.asarray(array, np.float64).reshape(-1)[0])


Converter: TypeAlias = Callable[[Call], Value | Sequence[Value]]
_Function = TypeVar("_Function", bound=Converter)

_CONVERTERS: dict[tuple[str, str], Converter] = {}


def converts(*names: str, domain: str = "") -> Callable[[_Function], _Function]:
    """Register a function as the converter of ONNX operators."""

    def register(converter: _Function) -> _Function:
        for name in names:
            _CONVERTERS[domain, name] = converter
        return converter

    return register


def _load() -> None:
    from netsuke.frontend.onnx import operators

    for module in pkgutil.iter_modules(operators.__path__):
        importlib.import_module(f"{operators.__name__}.{module.name}")


def converter_of(domain: str, name: str) -> Converter | None:
    """The converter of an operator, None when there is none."""
    if not _CONVERTERS:
        _load()
    return _CONVERTERS.get(("" if domain == "ai.onnx" else domain, name))


def supported_operators() -> tuple[str, ...]:
    """Names of all ONNX operators that can be imported; those of other domains are prefixed."""
    if not _CONVERTERS:
        _load()
    return tuple(sorted(f"{domain}.{name}" if domain else name for domain, name in _CONVERTERS))
