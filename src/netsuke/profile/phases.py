"""Marks that a program sets for `netsuke profile`; they cost next to nothing without it."""

from __future__ import annotations

from contextlib import ContextDecorator
from types import TracebackType

from netsuke.profile import events


class phase(ContextDecorator):
    """Mark what runs inside as a phase; also a decorator.

    Phases may be nested and repeated. Under `netsuke profile` a border takes some tens of
    microseconds (the peak of memory between two borders is the kernel's own figure, no sample);
    otherwise less than one.

    Parameters
    ----------
    name
        Such as ``"train"``.

    Examples
    --------
    >>> with phase("train"):
    ...     total = sum(range(10))
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> phase:
        if events.active():
            events.border("enter", str(self.name))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if events.active():
            events.border("exit", str(self.name))


def report_metric(name: str, value: float) -> None:
    """Tell a figure, such as the accuracy, to `netsuke profile`; the last value of a name counts.

    Parameters
    ----------
    name
        Such as ``"accuracy"``.
    value
        A number; what has no ``float()`` raises, profiled or not.
    """
    number = float(value)
    if events.active():
        events.metric(str(name), number)
