"""Texts that name a model or data set with options: ``mobilenet_v1?width=0.25&size=96``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from netsuke.errors import UsageError

YES, NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


@dataclass(frozen=True, slots=True)
class Options:
    """The options behind the ``?`` of a text, read as the types that their readers want.

    Attributes
    ----------
    place
        The text before the ``?``, for errors.
    values
        Option -> text.
    """

    place: str
    values: Mapping[str, str]

    def expect(self, known: Mapping[str, str]) -> Options:
        """Refuse options that are not `known` (option -> what it does)."""
        for name in self.values:
            if name not in known:
                listed = "; ".join(f"{key}: {text}" for key, text in known.items()) or "none"
                raise UsageError(f"{self.place} has no option {name!r}; its options are: {listed}")
        return self

    def text(self, name: str, default: str) -> str:
        return self.values.get(name, default)

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        """One of `allowed`."""
        value = self.text(name, default)
        if value not in allowed:
            raise self._wrong(name, f"one of {', '.join(allowed)}")
        return value

    def integer(self, name: str, default: int, low: int = 0, high: int = 1 << 40) -> int:
        """A whole number from `low` to `high`."""
        try:
            value = int(self.values.get(name, default))
        except ValueError:
            raise self._wrong(name, "a whole number") from None
        if not low <= value <= high:
            raise self._wrong(name, f"from {low} to {high}")
        return value

    def number(self, name: str, default: float, low: float, high: float) -> float:
        """A number from `low` to `high`."""
        try:
            value = float(self.values.get(name, default))
        except ValueError:
            raise self._wrong(name, "a number") from None
        if not low <= value <= high:
            raise self._wrong(name, f"from {low:g} to {high:g}")
        return value

    def flag(self, name: str, default: bool) -> bool:
        """``1``, ``true``, ``yes``, ``on`` or their opposites."""
        value = self.values.get(name)
        if value is None:
            return default
        if value.lower() not in YES + NO:
            raise self._wrong(name, "yes or no")
        return value.lower() in YES

    def extents(self, name: str, default: tuple[int, ...] | None) -> tuple[int, ...] | None:
        """Positive extents such as ``96`` or ``96x64x3``."""
        value = self.values.get(name)
        if value is None:
            return default
        parts = value.lower().split("x")
        if not all(part.isascii() and part.isdigit() and 0 < int(part) < 65536 for part in parts):
            raise self._wrong(name, "positive extents such as 96 or 96x64")
        return tuple(map(int, parts))

    def _wrong(self, name: str, wanted: str) -> UsageError:
        return UsageError(f"{self.place}: {name}={self.values.get(name)} is not {wanted}")


def parse_spec(spec: str) -> Options:
    """Split ``name?option=value&flag`` into its name and its options.

    Examples
    --------
    >>> parse_spec("mobilenet_v1?width=0.25").values
    {'width': '0.25'}
    """
    place, _, query = spec.partition("?")
    values: dict[str, str] = {}
    for part in filter(None, query.split("&")):
        name, equals, value = part.partition("=")
        if unquote(name) in values:
            raise UsageError(f"{place}: the option {name!r} is given twice")
        values[unquote(name)] = unquote(value) if equals else "1"
    return Options(place, values)
