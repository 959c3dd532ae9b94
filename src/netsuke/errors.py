"""The errors of netsuke, one tree.

::

    NetsukeError                      exit code
    ├── UsageError                    2   the call is wrong
    │   └── MissingToolError          2   an optional package or program is not installed
    ├── DoesNotFitError               3   the smallest plan found still exceeds one memory
    │   ├── LimitsNotMetError         3   no design found inside all limits
    │   └── NoDesignError             3   none of the designs that were tried holds all limits
    ├── UnusableError                 4   the model or the data is unusable
    │   ├── ModelError                    a model file is truncated, hostile or inconsistent
    │   │   └── UnsupportedOperatorError  it holds operators that netsuke does not have
    │   ├── GraphError                    a graph breaks a rule of the intermediate representation
    │   ├── QuantizationError             a graph cannot be expressed in integers as asked
    │   ├── DeviceError                   a device description is wrong
    │   ├── DataError                     a data set is missing, empty or malformed
    │   └── ProgramError                  a program that was profiled did not end well
    └── VerificationError             1   a result differs from its meaning, or a tool failed

An error carries data; its text gives the number, the limit, the place, and what to try.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


class NetsukeError(Exception):
    """Any error that netsuke raises on purpose; `exit_code` is what the command line returns."""

    exit_code: ClassVar[int] = 1


class UsageError(NetsukeError):
    """The call itself is wrong: an unknown name, an impossible combination."""

    exit_code = 2


@dataclass(eq=False)
class MissingToolError(UsageError):
    """An optional package or program is needed and is not installed."""

    tool: str
    purpose: str
    install: str

    def __str__(self) -> str:
        return f"{self.tool} is needed {self.purpose} and is not installed; try: {self.install}"


@dataclass(eq=False)
class DoesNotFitError(NetsukeError):
    """The smallest plan found still exceeds one memory of the device."""

    memory: str
    needed: int  # bytes
    available: int  # bytes
    culprit: str  # the node at which the peak is reached

    exit_code = 3

    def __str__(self) -> str:
        return (
            f"{self.memory}: needs {self.needed:,} B, has {self.available:,} B "
            f"({self.needed - self.available:,} B over); the peak is at node {self.culprit!r}. "
            "Try a larger device (netsuke devices), a quantized model (netsuke quantize), "
            "or a smaller one (netsuke fit)."
        )


@dataclass(eq=False)
class LimitsNotMetError(DoesNotFitError):
    """No design found inside all limits; `needed` is the least that any design can reach."""

    reason: str = "even with one channel wherever channels may be cut"
    relaxation: str = ""  # the cheapest change that would make it possible

    def __str__(self) -> str:
        return (
            f"{self.memory}: at least {self.needed:,} are needed {self.reason}, the limit is "
            f"{self.available:,} ({self.needed - self.available:,} over); node {self.culprit!r} "
            f"is in the way. {self._advice()}"
        )

    def _advice(self) -> str:
        if self.relaxation:
            return f"The least that helps: {self.relaxation}. Or try smaller inputs, another model."
        return (
            "Try a higher limit, a larger device (netsuke devices), smaller inputs, "
            "or another model."
        )


@dataclass(eq=False)
class MemoryLimitError(DoesNotFitError):
    """No setting holds a process's limit of memory; `needed` is the least that is known."""

    reason: str = ""

    def __str__(self) -> str:
        return (
            f"{self.memory}: at least {self.needed:,} B are needed {self.reason}, the limit is "
            f"{self.available:,} B ({self.needed - self.available:,} B over). Try a higher limit, "
            "a smaller batch, or a smaller model."
        )


@dataclass(eq=False)
class NoDesignError(DoesNotFitError):
    """None of the designs that were tried holds all limits; `culprit` is the nearest one."""

    tried: int = 0

    def __str__(self) -> str:
        return (
            f"{self.memory}: none of {self.tried} designs holds all limits; the nearest, "
            f"{self.culprit!r}, needs {self.needed:,}, the limit is {self.available:,} "
            f"({self.needed - self.available:,} over). Try a higher limit, a larger device "
            "(netsuke devices), or fewer features."
        )


class UnusableError(NetsukeError):
    """The model or the data cannot be used."""

    exit_code = 4


@dataclass(eq=False)
class ModelError(UnusableError):
    """A model file is missing, truncated, hostile or inconsistent."""

    place: str  # the file, and where in it
    problem: str

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}"


@dataclass(eq=False)
class UnsupportedOperatorError(UnusableError):
    """A model holds operators that netsuke does not have; all of them are listed."""

    place: str
    operators: tuple[tuple[str, str, str], ...]  # (operator, node, why)

    def __str__(self) -> str:
        lines = [f"{self.place}: {len(self.operators)} node(s) cannot be imported:"]
        lines += [f"  {operator} at node {node!r}: {why}" for operator, node, why in self.operators]
        lines.append("`netsuke ops` lists the operators that are supported.")
        return "\n".join(lines)


@dataclass(eq=False)
class GraphError(UnusableError):
    """A graph breaks a rule of the intermediate representation."""

    place: str  # the node or tensor
    problem: str

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}"


@dataclass(eq=False)
class QuantizationError(UnusableError):
    """A graph cannot be expressed in integers as asked."""

    place: str
    problem: str

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}"


@dataclass(eq=False)
class DeviceError(UnusableError):
    """A device description is unknown or wrong."""

    place: str
    problem: str

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}"


@dataclass(eq=False)
class DataError(UnusableError):
    """A data set is missing, empty or malformed."""

    place: str
    problem: str

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}"


@dataclass(eq=False)
class ProgramError(UnusableError):
    """A program that was profiled did not end well; what it did until then is in the result."""

    place: str  # the program
    problem: str
    tail: str = ""  # the end of what it wrote to stderr

    def __str__(self) -> str:
        said = f"; it wrote last:\n{self.tail}" if self.tail else ""
        return f"{self.place} {self.problem}{said}"


@dataclass(eq=False)
class VerificationError(NetsukeError):
    """A result differs from its meaning, or a tool that should have shown it failed."""

    place: str
    problem: str

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}"
