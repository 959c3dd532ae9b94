"""How an ATen operator gets its converter, and what a converter sees."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from netsuke.frontend.nchw.session import Session
from netsuke.frontend.nchw.value import CannotImportError, Value
from netsuke.ir import Op


@dataclass(frozen=True, slots=True)
class Call:
    """One node of an exported program.

    Attributes
    ----------
    session
        The import under way.
    arguments
        Name in the operator's schema -> value: a `Value` for a tensor, else a Python object;
        defaults are filled in.
    """

    session: Session
    arguments: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.arguments[name]

    def get(self, name: str, default: Any = None) -> Any:
        value = self.arguments.get(name)
        return default if value is None else value

    def emit(self, op: Op, *values: Value) -> Value:
        return self.session.emit(op, *values)

    @property
    def x(self) -> Value:
        """The first argument, a tensor."""
        first = next(iter(self.arguments.values()))
        if not isinstance(first, Value):
            raise CannotImportError("has no tensor as its first argument")
        return first

    def integers(self, name: str, count: int | None = None) -> tuple[int, ...]:
        """A list of integers; one is repeated to the count."""
        value = self.get(name, ())
        listed = tuple(int(e) for e in value) if isinstance(value, Sequence) else (int(value),)
        if count is not None and len(listed) == 1:
            listed *= count
        if count is not None and len(listed) != count:
            raise CannotImportError(f"has {len(listed)} numbers for {name}, needs {count}")
        return listed

    def operand(self, name: str) -> Value:
        """A tensor or a number, as a value."""
        value = self.arguments[name]
        if isinstance(value, Value):
            return value
        return self.session.constant(f"number_{value:g}", float(value))


Result: TypeAlias = Value | Sequence[Value]
Converter: TypeAlias = Callable[[Call], Result]
_Function = TypeVar("_Function", bound=Converter)

_CONVERTERS: dict[str, Converter] = {}


def converts(*names: str) -> Callable[[_Function], _Function]:
    """Register a function as the converter of ATen operators, all their overloads."""

    def register(converter: _Function) -> _Function:
        for name in names:
            _CONVERTERS[name] = converter
        return converter

    return register


def _load() -> None:
    from netsuke.frontend.torch import operators

    for module in pkgutil.iter_modules(operators.__path__):
        importlib.import_module(f"{operators.__name__}.{module.name}")


def converter_of(name: str) -> Converter | None:
    """The converter of an operator (``conv2d``), None when there is none."""
    if not _CONVERTERS:
        _load()
    return _CONVERTERS.get(name)


def supported_operators() -> tuple[str, ...]:
    """Names of all ATen operators that can be imported."""
    if not _CONVERTERS:
        _load()
    return tuple(sorted(_CONVERTERS))
