"""The walk over the nodes of an exported program."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from netsuke.errors import MissingToolError, ModelError, UnsupportedOperatorError, UsageError
from netsuke.frontend.nchw.value import Value
from netsuke.frontend.nchw.walk import FailedError, Imported, Problem, Walk, first_success
from netsuke.frontend.torch.registry import Call, converter_of
from netsuke.ir import Array, Graph

_PYTHON = {
    operator.add,
    operator.sub,
    operator.mul,
    operator.floordiv,
    operator.mod,
    operator.neg,
}
"""Arithmetic on extents that programs with open extents contain."""


def from_module(module: Any, example_input: Any = None) -> Graph:
    """Import a PyTorch module, in evaluation mode.

    Parameters
    ----------
    module
        A ``torch.nn.Module`` or a ``torch.export.ExportedProgram``.
    example_input
        A tensor or array with a batch axis, or a tuple of them; not needed for an exported
        program.

    Returns
    -------
    Graph
        For one sample; parameters keep their names (``conv.weight``).

    Raises
    ------
    UsageError
        When a module comes without an example input.
    MissingToolError
        When PyTorch is not installed.
    ModelError
        When PyTorch cannot export the module.
    UnsupportedOperatorError
        Naming every node that cannot be imported, and why.
    """
    return import_module(module, example_input).graph


def load_pt2(path: str | Path) -> Graph:
    """Import a ``.pt2`` file that ``torch.export.save`` wrote.

    PyTorch's own loader reads it, with all that this implies for files of strangers.

    Raises
    ------
    ModelError
        When the loader refuses the file.
    UnsupportedOperatorError
        Naming every node that cannot be imported, and why.
    """
    torch = _torch()
    try:
        program = torch.export.load(str(path))
    except Exception as error:
        raise ModelError(str(path), f"PyTorch cannot load it ({_first_line(error)})") from None
    return _import_program(program, str(path)).graph


def import_module(module: Any, example_input: Any = None) -> Imported:
    """As `from_module`, and says where the batch axes were."""
    torch = _torch()
    place = type(module).__name__
    if isinstance(module, torch.export.ExportedProgram):
        return _import_program(module, "exported program")
    if not isinstance(module, torch.nn.Module):
        raise UsageError(f"{place} is neither a PyTorch module nor an exported program")
    if example_input is None:
        raise UsageError(f"{place}: give an example input, from_module(module, example_input)")
    listed = example_input if isinstance(example_input, tuple | list) else (example_input,)
    tensors = tuple(torch.as_tensor(value) for value in listed)
    modes = {part: part.training for part in module.modules()}
    try:
        module.eval()
        program = torch.export.export(module, tensors)
    except Exception as error:
        raise ModelError(place, f"torch.export fails ({_first_line(error)})") from None
    finally:
        for part, training in modes.items():
            part.training = training
    return _import_program(program, place)


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        raise MissingToolError(
            "PyTorch", "to read PyTorch models", "pip install netsuke[train]"
        ) from None
    return torch


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return f"{type(error).__name__}: {text.splitlines()[0] if text else 'no message'}"


def _import_program(program: Any, place: str) -> Imported:
    program = _prepare(program, place)
    constants = _constants(program, place)

    def walk(axis: int | None) -> _TorchWalk:
        attempt = _TorchWalk(program, place, constants)
        attempt.run(axis)
        return attempt

    return first_success(place, walk).result()


def _prepare(program: Any, place: str) -> Any:
    """The program in functional form; operators that we do not know are decomposed."""
    torch = _torch()
    try:
        if any(_is_unknown(node) or _mutates(node) for node in program.graph.nodes):
            program = program.run_decompositions({})
        unknown = [node for node in program.graph.nodes if _is_unknown(node)]
        if unknown:
            targets = {node.target for node in unknown}
            table = torch.export.default_decompositions()
            program = program.run_decompositions({t: table[t] for t in targets if t in table})
    except Exception as error:
        raise ModelError(place, f"cannot be decomposed ({_first_line(error)})") from None
    missing = tuple(
        (_title(node), node.name, "no such operator is supported")
        for node in program.graph.nodes
        if _is_unknown(node)
    )
    if missing:
        raise UnsupportedOperatorError(place, missing)
    return program


def _is_unknown(node: Any) -> bool:
    if node.op != "call_function":
        return node.op not in ("placeholder", "output")
    if node.target is operator.getitem or node.target in _PYTHON:
        return False
    return converter_of(_title(node)) is None


def _mutates(node: Any) -> bool:
    """Whether an operator writes into its input, which others may read."""
    return bool(getattr(getattr(node.target, "_schema", None), "is_mutable", False))


def _title(node: Any) -> str:
    """``conv2d`` for ``aten.conv2d.default``."""
    name = getattr(getattr(node.target, "_schema", None), "name", None)
    return str(name).rpartition("::")[2] if name else str(node.target)


def _constants(program: Any, place: str) -> dict[str, tuple[str, Array]]:
    """Placeholder -> (name in the module, array) of parameters, buffers and constants."""
    found = {}
    for spec in program.graph_signature.input_specs:
        if spec.target is None:
            continue
        tensor = program.state_dict.get(spec.target, program.constants.get(spec.target))
        if tensor is None:
            raise ModelError(place, f"the parameter {spec.target!r} has no value")
        if not hasattr(tensor, "detach"):
            continue
        array = tensor.detach().cpu()
        array = (array.float() if array.is_floating_point() else array).numpy()
        found[spec.arg.name] = (str(spec.target), np.array(array))
    return found


class _TorchWalk(Walk):
    """One walk over the nodes of a program."""

    def __init__(
        self, program: Any, place: str, constants: Mapping[str, tuple[str, Array]]
    ) -> None:
        super().__init__(place, place.rpartition("/")[2] or "model")
        self.program = program
        self.values: dict[Any, Any] = {}
        self.known = constants

    def run(self, axis: int | None) -> None:
        """Import all nodes."""
        nodes = list(self.program.graph.nodes)
        names = set(self.program.graph_signature.user_inputs)
        inputs = [n for n in nodes if n.op == "placeholder" and n.name in names]
        if not self.declared({node.name: self._kind(node) for node in inputs}, axis):
            return
        self.values.update(zip(inputs, self.inputs, strict=True))
        for node in nodes:
            if node.op == "placeholder" and node.name in self.known:
                self.values[node] = self.session.constant(*self.known[node.name])
            elif node.op == "call_function":
                self._node(node)

    def _kind(self, node: Any) -> tuple[list[int | None], str]:
        value = node.meta.get("val")
        if not hasattr(value, "shape"):
            raise ModelError(self.place, f"its input {node.name!r} is not a tensor")
        dims = [extent if isinstance(extent, int) else None for extent in value.shape]
        dtype = str(value.dtype).rpartition(".")[2]
        return dims, "float32" if value.dtype.is_floating_point else dtype

    def _node(self, node: Any) -> None:
        if node.target is operator.getitem or node.target in _PYTHON:
            self.values[node] = self._python(node)
            return
        if _title(node) == "sym_size":
            source = self._value(node.args[0])
            self.values[node] = source.shape[node.args[1]]
            return
        several = isinstance(node.meta.get("val"), tuple | list)
        count = len(node.meta["val"]) if several else 1
        names = [node.name if index == 0 else f"{node.name}.{index}" for index in range(count)]
        values = self.attempt(_title(node), node.name, names, lambda: self._convert(node))
        if values is None:
            self.values[node] = FailedError
        else:
            self.values[node] = values if several else values[0]

    def _python(self, node: Any) -> Any:
        """Take one of several results, or compute with extents."""
        arguments = [self._value(entry) for entry in node.args]
        if any(entry is FailedError for entry in arguments):
            return FailedError
        try:
            return node.target(*arguments)
        except IndexError:
            source = node.args[0]
            why = f"its output {arguments[1]} is used, which is not supported"
            if node.users:
                self.problems.append(Problem(_title(source), source.name, why))
            return FailedError

    def _convert(self, node: Any) -> Sequence[Value]:
        arguments = self._arguments(node)
        converter = converter_of(_title(node))
        assert converter is not None
        result = converter(Call(self.session, arguments))
        return [result] if isinstance(result, Value) else result

    def _arguments(self, node: Any) -> dict[str, Any]:
        """Arguments by the names of the operator's schema."""
        arguments = {}
        for index, parameter in enumerate(node.target._schema.arguments):
            if index < len(node.args):
                entry = node.args[index]
            else:
                entry = node.kwargs.get(parameter.name, parameter.default_value)
            arguments[parameter.name] = self._value(entry)
        if any(_has_failed(value) for value in arguments.values()):
            raise FailedError
        return arguments

    def _value(self, entry: Any) -> Any:
        if isinstance(entry, list | tuple):
            return [self._value(part) for part in entry]
        if type(entry).__module__ == "torch.fx.node":
            return self.values.get(entry)
        return entry

    def result(self) -> Imported:
        """The graph."""
        (output,) = [node for node in self.program.graph.nodes if node.op == "output"]
        wanted = list(self.program.graph_signature.user_outputs)
        by_name = {
            part.name: self.values.get(part) for part in output.args[0] if hasattr(part, "name")
        }
        outputs = []
        for name in wanted:
            value = by_name.get(name)
            if not isinstance(value, Value):
                raise ModelError(self.place, f"its output {name!r} is not a computed tensor")
            outputs.append((name, value))
        return self.finish(outputs, lambda graph: graph)


def _has_failed(value: Any) -> bool:
    if isinstance(value, list):
        return any(_has_failed(part) for part in value)
    return value is FailedError
