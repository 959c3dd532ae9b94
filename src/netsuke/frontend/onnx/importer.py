"""The walk over the nodes of an ONNX file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Any

from netsuke.errors import ModelError, UnsupportedOperatorError, UsageError
from netsuke.frontend.nchw.value import CannotImportError, Value
from netsuke.frontend.nchw.walk import FailedError, Imported, Walk, first_success
from netsuke.frontend.onnx import read
from netsuke.frontend.onnx.fold import fold, is_foldable
from netsuke.frontend.onnx.integers import to_integers
from netsuke.frontend.onnx.prepare import prepare_nodes, reads_of
from netsuke.frontend.onnx.registry import Call, converter_of
from netsuke.ir import Array, Graph


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
    _check_shapes(model.graph, shapes or {}, place)
    nodes = prepare_nodes(model.graph)
    _refuse_unknown(nodes, place)
    if model.graph.sparse_initializer:
        raise ModelError(place, "holds sparse initializers, which are not supported")
    used = {name for node in nodes for name in reads_of(node)}
    used |= {output.name for output in model.graph.output}
    constants = {
        tensor.name: read.array_of(tensor, place, folder)
        for tensor in model.graph.initializer
        if tensor.name in used or read.is_readable(tensor)
    }

    def walk(axis: int | None) -> _OnnxWalk:
        attempt = _OnnxWalk(model, place, folder, opset, nodes, constants, used)
        attempt.run(axis, shapes or {})
        return attempt

    return first_success(place, walk).result()


def _check_shapes(graph: Any, shapes: Mapping[str, Sequence[int]], place: str) -> None:
    """Shapes must be those of inputs, and agree with what the file fixes."""
    infos = {info.name: info for info in graph.input}
    for name, shape in shapes.items():
        if name not in infos:
            raise UsageError(f"{place} has no input {name!r}; its inputs are {', '.join(infos)}")
        if not infos[name].type.tensor_type.HasField("shape"):
            continue
        dims = read.dims_of(infos[name], place)
        agree = len(dims) == len(shape) and all(
            own in (None, given) for own, given in zip(dims, shape, strict=True)
        )
        if not agree or not all(extent > 0 for extent in shape):
            listed = ", ".join("?" if extent is None else str(extent) for extent in dims)
            raise UsageError(f"{place}: input {name!r} is [{listed}], which {list(shape)} is not")


def _refuse_unknown(nodes: Sequence[Any], place: str) -> None:
    unknown = tuple(
        (_title(node), _name(node), "no such operator is supported")
        for node in nodes
        if converter_of(node.domain, node.op_type) is None
        and not is_foldable(node.op_type)
        and node.op_type != "If"
    )
    if unknown:
        raise UnsupportedOperatorError(place, unknown)


class _OnnxWalk(Walk):
    """One walk over the nodes of a graph."""

    def __init__(
        self,
        model: Any,
        place: str,
        folder: Path | None,
        opset: int,
        nodes: Sequence[Any],
        constants: Mapping[str, Array],
        used: Set[str],
    ) -> None:
        super().__init__(place, model.graph.name or "model")
        self.graph = model.graph
        self.folder = folder
        self.opset = opset
        self.opsets = {entry.domain: int(entry.version) for entry in model.opset_import}
        self.nodes = nodes
        self.values: dict[str, Value | None] = {  # None: a node that failed should have made it
            name: self.session.constant(name, array) for name, array in constants.items()
        }
        self.used = used

    def run(self, axis: int | None, shapes: Mapping[str, Sequence[int]]) -> None:
        """Import all nodes."""
        stored = {tensor.name for tensor in self.graph.initializer}  # inputs, too, in old files
        infos = [info for info in self.graph.input if info.name not in stored]
        if not self.declared({info.name: self._kind(info, shapes) for info in infos}, axis):
            return
        for info, value in zip(infos, self.inputs, strict=True):
            self.values[info.name] = value
        for node in self.nodes:
            self._node(node)

    def _kind(self, info: Any, shapes: Mapping[str, Sequence[int]]) -> tuple[list[int | None], str]:
        code = info.type.tensor_type.elem_type
        if code not in read.DTYPES:
            raise ModelError(
                f"{self.place}, input {info.name!r}", f"has the unsupported element type {code}"
            )
        if info.name in shapes:
            return [int(extent) for extent in shapes[info.name]], read.DTYPES[code]
        return read.dims_of(info, self.place), read.DTYPES[code]

    def advice(self, name: str, dims: Sequence[int | None]) -> str:
        extents = [1, *(224 if extent is None else extent for extent in dims[1:])]
        example = "x".join(map(str, extents))
        file = self.place if self.place.endswith(".onnx") else "model.onnx"
        return f"export the model with fixed ones, or say which: '{file}?{name}={example}'"

    def _node(self, node: Any) -> None:
        for name in node.input:
            if name and name not in self.values:
                raise ModelError(
                    f"{self.place}, node {_name(node)!r}",
                    f"reads {name!r}, which no initializer, input or earlier node provides",
                )
        for name in node.output:
            if name and name in self.values:
                raise ModelError(
                    f"{self.place}, node {_name(node)!r}", f"makes {name!r} a second time"
                )
        if node.op_type == "If" and self._take_branch(node):
            return
        outputs = list(node.output)
        values = self.attempt(_title(node), _name(node), outputs, lambda: self._convert(node))
        found = values if values is not None else [None] * len(outputs)
        self.values.update((n, v) for n, v in zip(outputs, found, strict=False) if n)

    def _take_branch(self, node: Any) -> bool:
        """Import the branch of an If whose condition is known; False when it is not."""
        condition = self.values[node.input[0]] if len(node.input) == 1 else None
        if condition is None or condition.data is None or condition.data.size != 1:
            return False
        wanted = "then_branch" if condition.data.all() else "else_branch"
        branch = next((a.g for a in node.attribute if a.name == wanted), None)
        if branch is None or len(branch.output) != len(node.output):
            return False
        for tensor in branch.initializer:
            array = read.array_of(tensor, self.place, self.folder)
            self.values[tensor.name] = self.session.constant(tensor.name, array)
        for inner in branch.node:
            self._node(inner)
        for name, output in zip(node.output, branch.output, strict=True):
            self.values[name] = self.values.get(output.name)
        return True

    def _convert(self, node: Any) -> Sequence[Value]:
        inputs = tuple(self.values[name] if name else None for name in node.input)
        if any(name and value is None for name, value in zip(node.input, inputs, strict=True)):
            raise FailedError
        version = self.opsets.get(node.domain, self.opset)
        folded = self._folded(node, version, inputs)
        if folded is not None:
            return folded
        converter = converter_of(node.domain, node.op_type)
        if converter is None:
            known = is_foldable(node.op_type)
            raise CannotImportError(
                "is supported on constants only" if known else "no such operator is supported"
            )
        used = tuple(name in self.used for name in node.output)
        result = converter(Call(self.session, node, version, inputs, used))
        return [result] if isinstance(result, Value) else result

    def _folded(
        self, node: Any, version: int, inputs: Sequence[Value | None]
    ) -> list[Value] | None:
        """The outputs of a node whose inputs are all known; None for others."""
        given = [value for value in inputs if value is not None]
        if any(value.data is None or value.batch is not None for value in given):
            return None
        arrays = fold(node, version, [None if v is None else v.data for v in inputs])
        if arrays is None:
            return None
        results = iter(arrays)
        nothing = self.session.constant("", 0)
        return [
            self.session.constant(name, next(results)) if name else nothing for name in node.output
        ]

    def result(self) -> Imported:
        """The graph, its quantized parts turned into integers."""
        outputs = []
        for info in self.graph.output:
            value = self.values.get(info.name)
            if value is None:
                raise ModelError(self.place, f"nothing computes its output {info.name!r}")
            outputs.append((info.name, value))
        return self.finish(outputs, lambda graph: to_integers(graph, self.session.twins))


def _title(node: Any) -> str:
    return node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"


def _name(node: Any) -> str:
    return node.name or next((name for name in node.output if name), node.op_type)
