"""The walk over the nodes of an ONNX file, under one assumption about the batch axis at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from netsuke.errors import GraphError, ModelError, UnsupportedOperatorError
from netsuke.frontend.nchw.session import Session
from netsuke.frontend.nchw.value import BatchAxisError, CannotImportError, Value
from netsuke.frontend.onnx import read
from netsuke.frontend.onnx.fold import fold, is_foldable
from netsuke.frontend.onnx.fuse import fuse_gelu
from netsuke.frontend.onnx.integers import to_integers
from netsuke.frontend.onnx.registry import Call, converter_of
from netsuke.ir import Graph, Port
from netsuke.ops import Reshape

# What a converter may meet in a hostile file: attributes of the wrong type, lists of the wrong
# length, numbers beyond the range of an int.
_SURPRISES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    IndexError,
    KeyError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
)

BATCH_AXES: tuple[int | None, ...] = (0, None, 1)
"""Assumptions about the batch axis of the inputs, in the order in which they are tried.

Axis 0 is usual; None takes the whole array for one sample; axis 1 is that of recurrent networks
that have the time first.
"""


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


def load_onnx(
    source: str | Path | bytes | Any, shapes: Mapping[str, Sequence[int]] | None = None
) -> Graph:
    """Import an ONNX model.

    Parameters
    ----------
    source
        A path, the bytes of a file, or an ``onnx.ModelProto``. Weights in external files are read
        if they lie in the model's folder.
    shapes
        Input name -> shape (with the batch axis) for inputs whose file leaves extents open.

    Returns
    -------
    Graph
        For one sample: axis 0 of the inputs is taken for the batch and dropped, unless an
        operator works on it. Names are those of the file. Operators on (n, c, h, w) stand between
        transposes, which the optimizer removes. Quantized models are integer graphs; inputs and
        outputs that the file shows as uint8, or as float behind a QuantizeLinear, have a `Port`.

    Raises
    ------
    ModelError
        When the file is damaged, hostile or inconsistent.
    UnsupportedOperatorError
        Naming every node that cannot be imported, and why.
    """
    return import_model(source, shapes).graph


def import_model(
    source: str | Path | bytes | Any, shapes: Mapping[str, Sequence[int]] | None = None
) -> Imported:
    """As `load_onnx`, and says where the batch axes were."""
    model, place, folder = read.parse(source)
    opset = read.opset_of(model, place)
    _refuse_unknown(model, place)
    nodes = fuse_gelu(model.graph)
    constants = {
        tensor.name: read.array_of(tensor, place, folder) for tensor in model.graph.initializer
    }
    if model.graph.sparse_initializer:
        raise ModelError(place, "holds sparse initializers, which are not supported")
    failures = []
    for axis in BATCH_AXES:
        attempt = _Attempt(model, place, opset, nodes, constants, shapes or {})
        problems = attempt.run(axis)
        if not problems:
            return attempt.finish()
        failures.append(problems)
    # The assumption that failed for reasons other than the batch axis tells most.
    telling = next((f for f in failures if not any(p.about_batch for p in f)), failures[1])
    for problem in telling:
        if problem.inconsistent:
            where = f"{place}, node {problem.node!r}"
            raise ModelError(where, f"{problem.operator} {problem.why}")
    raise UnsupportedOperatorError(place, tuple((p.operator, p.node, p.why) for p in telling))


def _refuse_unknown(model: Any, place: str) -> None:
    unknown = tuple(
        (_title(node), _name(node), "no such operator is supported")
        for node in model.graph.node
        if converter_of(node.domain, node.op_type) is None and not is_foldable(node.op_type)
    )
    if unknown:
        raise UnsupportedOperatorError(place, unknown)


class _Attempt:
    """One walk over the nodes."""

    def __init__(
        self,
        model: Any,
        place: str,
        opset: int,
        nodes: Sequence[Any],
        constants: Mapping[str, Any],
        shapes: Mapping[str, Sequence[int]],
    ) -> None:
        self.graph = model.graph
        self.place = place
        self.opset = opset
        self.opsets = {entry.domain: int(entry.version) for entry in model.opset_import}
        self.nodes = nodes
        self.shapes = shapes
        self.constants = constants
        self.session = Session(place, model.graph.name or "model")
        self.values: dict[str, Value | None] = {}  # None: behind a node that failed
        self.inputs: list[Value] = []
        self.used = {name for node in nodes for name in node.input}
        self.used |= {output.name for output in model.graph.output}

    def run(self, axis: int | None) -> list[Problem]:
        """Import all nodes; returns those that failed."""
        for name, array in self.constants.items():
            self.values[name] = self.session.constant(name, array)
        try:
            self._declare_inputs(axis)
        except BatchAxisError as error:
            return [Problem("input", self.graph.name, str(error), True)]
        problems = []
        for node in self.nodes:
            problem = self._import(node)
            if problem is not None:
                problems.append(problem)
        return problems

    def _declare_inputs(self, axis: int | None) -> None:
        infos = [info for info in self.graph.input if info.name not in self.constants]
        dims = {info.name: self._dims(info) for info in infos}
        batches = self._batch_axes(axis, dims)
        for info in infos:
            code = info.type.tensor_type.elem_type
            if code not in read.DTYPES:
                raise ModelError(
                    f"{self.place}, input {info.name!r}", f"has the unsupported element type {code}"
                )
            value = self._input(info.name, dims[info.name], batches[info.name], read.DTYPES[code])
            self.values[info.name] = value
            self.inputs.append(value)

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

    def _dims(self, info: Any) -> list[int | None]:
        if info.name in self.shapes:
            return [int(extent) for extent in self.shapes[info.name]]
        return read.dims_of(info, self.place)

    def _input(self, name: str, dims: list[int | None], batch: int | None, dtype: str) -> Value:
        shape = []
        for axis, extent in enumerate(dims):
            if axis == batch:
                shape.append(self.session.samples)
            elif extent is None and axis == 0 and batch is None:
                shape.append(1)
            elif extent is None:
                raise BatchAxisError(
                    f"axis {axis} of input {name!r} is left open; fix it, for example with "
                    f"shapes={{{name!r}: (...)}}"
                )
            else:
                shape.append(extent)
        stored = "int8" if dtype == "uint8" else dtype
        value = self.session.input(name, shape, batch, stored, None)
        if dtype == "uint8":
            axes = tuple(range(len(value.stored)))
            self.session.builder.ports[value.tensor] = Port(axes, "uint8")
        return replace(value, dtype=dtype)

    def _import(self, node: Any) -> Problem | None:
        for name in node.input:
            if name and name not in self.values:
                raise ModelError(
                    f"{self.place}, node {_name(node)!r}",
                    f"reads {name!r}, which no initializer, input or earlier node provides",
                )
        if any(name and self.values[name] is None for name in node.input):
            self._provide(node, [None] * len(node.output))
            return None
        try:
            results = self._convert(node)
        except (CannotImportError, GraphError) as error:
            self._provide(node, [None] * len(node.output))
            about_batch = isinstance(error, BatchAxisError)
            return Problem(_title(node), _name(node), _why(error), about_batch)
        except _SURPRISES as error:
            self._provide(node, [None] * len(node.output))
            why = f"is inconsistent ({type(error).__name__}: {error})"
            return Problem(_title(node), _name(node), why, inconsistent=True)
        self._provide(node, results)
        return None

    def _convert(self, node: Any) -> list[Value | None]:
        inputs = tuple(self.values[name] if name else None for name in node.input)
        session = self.session
        session.next_label = next((name for name in node.output if name), "value")
        version = self.opsets.get(node.domain, self.opset)
        known = all(value is None or value.data is not None for value in inputs)
        if known and not any(value is not None and value.batch is not None for value in inputs):
            arrays = fold(node, version, [None if v is None else v.data for v in inputs])
            if arrays is not None:
                return [
                    session.constant(name, array)
                    for name, array in zip(filter(None, node.output), arrays, strict=True)
                ]
        converter = converter_of(node.domain, node.op_type)
        if converter is None:
            raise CannotImportError("is supported on constants only")
        used = tuple(name in self.used for name in node.output)
        first = len(session.builder.nodes)
        result = converter(Call(session, node, version, inputs, used))
        values = [result] if isinstance(result, Value) else list(result)
        return self._name_results(node, values, first)

    def _name_results(self, node: Any, values: list[Value], first: int) -> list[Value | None]:
        """Give the tensors that this node made the names that the file has for them."""
        builder = self.session.builder
        made = {name for entry in builder.nodes[first:] for name in entry.outputs}
        renamed: dict[str, str] = {}
        for name, value in zip(node.output, values, strict=False):
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
                label=name or value.label if value.data is None else value.label,
            )
            for name, value in zip(node.output, values, strict=False)
        ]

    def _provide(self, node: Any, values: Sequence[Value | None]) -> None:
        names = list(node.output)
        if len(values) < len(names):  # folded nodes skip outputs without a name
            names = [name for name in names if name][: len(values)]
        for name, value in zip(names, values, strict=False):
            if name in self.values:
                raise ModelError(
                    f"{self.place}, node {_name(node)!r}", f"makes {name!r} a second time"
                )
            if name:
                self.values[name] = value

    def finish(self) -> Imported:
        """The graph with its outputs, quantized parts turned into integers."""
        outputs: list[Value] = []
        names: list[str] = []
        for info in self.graph.output:
            value = self.values.get(info.name)
            if value is None:
                raise ModelError(self.place, f"nothing computes its output {info.name!r}")
            if value.batch is None and self.session.samples == 1 and self._is_batched():
                value = self._drop_leading(value)
            outputs.append(value)
            names.append(self._output(info.name, value, names))
        try:
            graph = self.session.builder.build(names)
            graph = to_integers(graph, self.session.twins)
        except GraphError as error:
            raise ModelError(self.place, str(error)) from None
        return Imported(
            graph,
            tuple(value.batch for value in self.inputs),
            tuple(value.batch for value in outputs),
        )

    def _is_batched(self) -> bool:
        return any(value.batch is not None for value in self.inputs)

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


def _title(node: Any) -> str:
    return node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"


def _name(node: Any) -> str:
    return node.name or next((name for name in node.output if name), node.op_type)


def _why(error: Exception) -> str:
    return error.problem if isinstance(error, GraphError) else str(error)
