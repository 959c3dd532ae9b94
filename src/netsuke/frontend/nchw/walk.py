"""The walk over a model's nodes, under one assumption about the batch axis at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from netsuke.errors import GraphError, ModelError, UnsupportedOperatorError
from netsuke.frontend.nchw.session import Session
from netsuke.frontend.nchw.value import BatchAxisError, CannotImportError, Value
from netsuke.ir import Graph, Port
from netsuke.ops import Reshape

BATCH_AXES: tuple[int | None, ...] = (0, None, 1)
"""Assumptions about the batch axis of the inputs, in the order in which they are tried.

Axis 0 is usual; None takes the whole array for one sample; axis 1 is that of recurrent networks
that have the time first.
"""

INPUT = "input"
"""Stands for the operator in problems of the model's inputs."""

# What a converter may meet in a hostile file: attributes of the wrong type, lists of the wrong
# length, numbers beyond the range of an int.
_SURPRISES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class Imported:
    """A graph, and the batch axis of each input and output in the file (None: there is none)."""

    graph: Graph
    inputs: tuple[int | None, ...]
    outputs: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """A node that could not be imported."""

    operator: str
    node: str
    why: str
    about_batch: bool = False
    inconsistent: bool = False


class FailedError(Exception):
    """A node reads what a node that failed should have made; it is passed over silently."""


class Walk:
    """One attempt at a model; the frontends derive from it and walk over their nodes.

    Attributes
    ----------
    place
        The file, for errors.
    session
        The graph so far.
    inputs
        Values of the model's inputs.
    problems
        Nodes that failed.
    """

    def __init__(self, place: str, name: str) -> None:
        self.place = place
        self.session = Session(place, name)
        self.inputs: list[Value] = []
        self.problems: list[Problem] = []

    def declare(self, dims: Mapping[str, tuple[list[int | None], str]], axis: int | None) -> None:
        """Declare the inputs: name -> (extents, None where left open; element type)."""
        extents = {name: shape for name, (shape, _) in dims.items()}
        batches = self._batch_axes(axis, extents)
        for name, (shape, dtype) in dims.items():
            self.inputs.append(self._input(name, shape, batches[name], dtype))

    def declared(self, dims: Mapping[str, tuple[list[int | None], str]], axis: int | None) -> bool:
        """As `declare`, but an extent that is left open is recorded as a problem: False then."""
        try:
            self.declare(dims, axis)
        except BatchAxisError as error:
            self.problems.append(Problem(INPUT, self.place, str(error), about_batch=True))
        return not self.problems

    def advice(self, name: str, dims: Sequence[int | None]) -> str:
        """What to do about an input whose extents are left open."""
        return "export the model with fixed ones"

    def _batch_axes(
        self, axis: int | None, dims: Mapping[str, list[int | None]]
    ) -> dict[str, int | None]:
        """Which inputs have the batch axis: those that agree with the first one there."""
        if axis is None:
            return dict.fromkeys(dims)
        extents = {name: d[axis] if len(d) > axis else 0 for name, d in dims.items()}
        samples = next((extent for extent in extents.values() if extent), None)
        self.session.samples = samples or 1
        return {
            name: axis if extent is None or extent == samples else None
            for name, extent in extents.items()
        }

    def _input(self, name: str, dims: list[int | None], batch: int | None, dtype: str) -> Value:
        shape = []
        for axis, extent in enumerate(dims):
            if axis == batch:
                shape.append(self.session.samples)
            elif extent is None and axis == 0 and batch is None:
                shape.append(1)
            elif extent is None:
                listed = ", ".join("?" if e is None else str(e) for e in dims)
                raise BatchAxisError(
                    f"input {name!r} is [{listed}]: axis {axis} is left open, and a small device "
                    f"needs fixed extents; {self.advice(name, dims)}"
                )
            else:
                shape.append(extent)
        stored = "int8" if dtype == "uint8" else dtype
        value = self.session.input(name, shape, batch, stored, None)
        if dtype == "uint8":
            axes = tuple(range(len(value.stored)))
            self.session.builder.ports[value.tensor] = Port(axes, "uint8")
        return replace(value, dtype=dtype)

    def attempt(
        self,
        operator: str,
        node: str,
        names: Sequence[str],
        convert: Callable[[], Sequence[Value]],
    ) -> list[Value] | None:
        """Convert one node and name its results; None when it failed, which is recorded."""
        self.session.next_label = next((name for name in names if name), node)
        first = len(self.session.builder.nodes)
        try:
            return self._named(names, list(convert()), first)
        except FailedError:
            pass
        except (CannotImportError, GraphError) as error:
            why = error.problem if isinstance(error, GraphError) else str(error)
            about_batch = isinstance(error, BatchAxisError)
            self.problems.append(Problem(operator, node, why, about_batch))
        except _SURPRISES as error:
            why = f"is inconsistent ({type(error).__name__}: {error})"
            self.problems.append(Problem(operator, node, why, inconsistent=True))
        return None

    def _named(self, names: Sequence[str], values: list[Value], first: int) -> list[Value]:
        """Give the tensors that a node made the names that the file has for them."""
        builder = self.session.builder
        made = {name for entry in builder.nodes[first:] for name in entry.outputs}
        renamed: dict[str, str] = {}
        for name, value in zip(names, values, strict=False):
            if value.tensor in made and name and name not in builder.tensors:
                renamed[value.tensor] = name
        for old, new in renamed.items():
            builder.tensors[new] = replace(builder.tensors.pop(old), name=new)
        for index in range(first, len(builder.nodes)):
            entry = builder.nodes[index]
            builder.nodes[index] = replace(
                entry,
                inputs=tuple(renamed.get(name, name) for name in entry.inputs),
                outputs=tuple(renamed.get(name, name) for name in entry.outputs),
            )
        return [
            replace(
                value,
                tensor=renamed.get(value.tensor, value.tensor),
                label=(name or value.label) if value.data is None else value.label,
            )
            for name, value in zip(names, values, strict=False)
        ]

    def finish(
        self, outputs: Sequence[tuple[str, Value]], last: Callable[[Graph], Graph]
    ) -> Imported:
        """The graph with these outputs, after one last function of it."""
        values: list[Value] = []
        names: list[str] = []
        batched = any(value.batch is not None for value in self.inputs)
        for name, value in outputs:
            if batched and self.session.samples == 1 and value.batch is None:
                value = self._drop_leading(value)
            values.append(value)
            names.append(self._output(name, value, names))
        try:
            graph = last(self.session.builder.build(names))
        except GraphError as error:
            raise ModelError(self.place, str(error)) from None
        return Imported(
            graph,
            tuple(value.batch for value in self.inputs),
            tuple(value.batch for value in values),
        )

    def _drop_leading(self, value: Value) -> Value:
        if value.rank and value.shape[0] == 1:
            return self.session.reshape(value, value.shape, 0)
        return value

    def _output(self, name: str, value: Value, taken: Sequence[str]) -> str:
        """The tensor of an output, which has the output's name."""
        builder = self.session.builder
        tensor = self.session.tensor(value)
        if tensor != name or name in taken:
            quant = builder.tensors[tensor].quant
            tensor = builder.one(Reshape(value.stored), tensor, name=name, quant=quant)
        if value.dtype == "uint8" and value.data is None:
            builder.ports[tensor] = Port(tuple(range(len(value.stored))), "uint8")
        return tensor


_Attempt = TypeVar("_Attempt", bound=Walk)


def first_success(place: str, walk: Callable[[int | None], _Attempt]) -> _Attempt:
    """The first walk without problems over all assumptions about the batch axis.

    Raises
    ------
    ModelError
        When a node is inconsistent under the assumption that tells most.
    UnsupportedOperatorError
        Naming the nodes that failed under it.
    """
    failures = []
    for axis in BATCH_AXES:
        attempt = walk(axis)
        if not attempt.problems:
            return attempt
        failures.append(attempt.problems)
    # The assumption that failed for reasons other than the batch axis tells most.
    telling = next((f for f in failures if not any(p.about_batch for p in f)), failures[1])
    for problem in telling:
        if problem.operator == INPUT:
            raise ModelError(place, problem.why)
        if problem.inconsistent:
            where = f"{place}, node {problem.node!r}"
            raise ModelError(where, f"{problem.operator} {problem.why}")
    raise UnsupportedOperatorError(place, tuple((p.operator, p.node, p.why) for p in telling))
