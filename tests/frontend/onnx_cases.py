"""The node tests of ONNX's own backend suite, as far as they concern netsuke.

A test is applicable by rule, not by a list:

- every node is an operator that the frontend imports, or works on constants only;
- real inputs are float32, the first one among them; 32- and 64-bit integer and boolean inputs are
  parameters (shapes, axes, indices) and become constants;
- outputs are float32, or the positions (int64) that ArgMax and ArgMin make;
- no tensor is empty, and an image has at most two spatial axes;
- it is inference, not training.

Real inputs that our operators hold as constants (weights, exponents) become constants when the
import says that they must be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper
from onnx_compiled import BOARD, compile_all

from netsuke.codegen import compile_graph
from netsuke.devices import device
from netsuke.errors import NetsukeError
from netsuke.frontend.nchw.walk import Imported
from netsuke.frontend.onnx.fold import is_foldable
from netsuke.frontend.onnx.importer import import_model
from netsuke.frontend.onnx.registry import converter_of
from netsuke.ir import Array, Graph, interpret
from netsuke.passes import optimize

_IMAGES = ("Conv", "ConvTranspose", "MaxPool", "AveragePool", "Resize", "Upsample")


@dataclass(frozen=True)
class Case:
    """One backend test: a model, its inputs and the outputs that are right."""

    name: str
    model: Any
    inputs: dict[str, Array]
    outputs: tuple[Array, ...]
    rtol: float
    atol: float


def load_cases() -> list[Case]:
    """All node tests with one data set of plain tensors."""
    import warnings

    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tests = load_model_tests(kind="node")
    cases = []
    for test in tests:
        if test.model is None or not test.data_sets:
            continue
        inputs, outputs = test.data_sets[0]
        if not all(isinstance(value, np.ndarray | np.generic) for value in (*inputs, *outputs)):
            continue
        names = [value.name for value in test.model.graph.input]
        feeds = {n: np.asarray(v) for n, v in zip(names, inputs, strict=False)}
        expected = tuple(np.asarray(value) for value in outputs)
        cases.append(Case(test.name, test.model, feeds, expected, test.rtol, test.atol))
    return cases


def is_applicable(case: Case) -> bool:
    """Whether the rule above lets a test in."""
    arrays = (*case.inputs.values(), *case.outputs)
    if any(array.size == 0 for array in arrays) or not case.inputs:
        return False
    first = next(iter(case.inputs.values()))
    if first.dtype != np.float32:
        return False
    kinds = {"float32", "int32", "int64", "bool"}
    if any(str(array.dtype) not in kinds for array in case.inputs.values()):
        return False
    places = {
        name
        for node in case.model.graph.node
        if node.op_type in ("ArgMax", "ArgMin")
        for name in node.output
    }
    for value, array in zip(case.model.graph.output, case.outputs, strict=True):
        if array.dtype != np.float32 and not (array.dtype == np.int64 and value.name in places):
            return False
    return _operators_are_ours(case) and not _is_training(case)


def _operators_are_ours(case: Case) -> bool:
    known = {name for name, array in case.inputs.items() if array.dtype.kind in "iub"}
    known |= {tensor.name for tensor in case.model.graph.initializer}
    for node in case.model.graph.node:
        constant = all(name in known or not name for name in node.input)
        if (constant and is_foldable(node.op_type)) or node.op_type in ("Shape", "Size"):
            known.update(node.output)
        elif converter_of(node.domain, node.op_type) is None:
            return False
        if node.op_type in _IMAGES and max(a.ndim for a in case.inputs.values()) > 4:
            return False
    return True


def _is_training(case: Case) -> bool:
    for node in case.model.graph.node:
        if any(a.name == "training_mode" and a.i for a in node.attribute):
            return True
        if node.op_type == "Dropout" and len(node.input) > 2 and bool(case.inputs["t"]):
            return True
    return False


def bake(case: Case, live: Sequence[str]) -> Any:
    """The model with every input but the live ones as an initializer."""
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    kept = [value for value in model.graph.input if value.name in live]
    del model.graph.input[:]
    model.graph.input.extend(kept)
    for name, array in case.inputs.items():
        if name not in live:
            model.graph.initializer.append(numpy_helper.from_array(array, name))
    return model


def import_case(case: Case) -> tuple[Imported, list[str]]:
    """The imported test and the names of the inputs that stayed inputs."""
    live = [name for name, array in case.inputs.items() if array.dtype == np.float32]
    while True:
        try:
            return import_model(bake(case, live)), live
        except NetsukeError as error:
            text = str(error)
            must = [name for name in live[1:] if f"{name!r} must be constant" in text]
            must = must or [name for name in live[1:] if "must be constant" in text]
            if not must:
                raise
            live = [name for name in live if name not in must]


def samples(case: Case, imported: Imported, live: Sequence[str]) -> Iterator[dict[str, Array]]:
    """Inputs of the graph, one dictionary a sample."""
    names = imported.graph.inputs
    arrays = [case.inputs[name] for name in live]
    counts = {a.shape[b] for a, b in zip(arrays, imported.inputs, strict=True) if b is not None}
    for index in range(max(counts, default=1)):
        yield {
            name: np.array(array if axis is None else array.take(index, axis))
            for name, array, axis in zip(names, arrays, imported.inputs, strict=True)
        }


def join(case: Case, imported: Imported, rows: Sequence[dict[str, Array]]) -> list[Array]:
    """Outputs as the test shows them."""
    joined = []
    for name, axis in zip(imported.graph.outputs, imported.outputs, strict=True):
        values = [row[name] for row in rows]
        joined.append(values[0] if axis is None else np.stack(values, axis))
    return joined


def difference(case: Case, actual: Sequence[Array]) -> str:
    """What is wrong with the outputs; empty if nothing is."""
    for value, expected in zip(actual, case.outputs, strict=True):
        if value.shape != expected.shape:
            return f"shape {list(value.shape)} instead of {list(expected.shape)}"
        if not np.allclose(
            value, expected, rtol=case.rtol, atol=max(case.atol, 1e-5), equal_nan=True
        ):
            return f"differs by {np.nanmax(np.abs(value - expected)):.3g}"
    return ""


def run_in_numpy(case: Case) -> str:
    """Import and interpret a test; returns what went wrong."""
    try:
        imported, live = import_case(case)
        rows = [interpret(imported.graph, feeds) for feeds in samples(case, imported, live)]
    except NetsukeError as error:
        return " ".join(str(error).split())
    return difference(case, join(case, imported, rows))


def run_in_c(cases: Sequence[Case]) -> dict[str, str]:
    """Import, optimize, compile and run tests; returns what went wrong, by name."""
    wrong: dict[str, str] = {}
    ready = []
    for case in cases:
        try:
            imported, live = import_case(case)
            graph = optimize(imported.graph)
            compile_graph(graph, device(BOARD))
            ready.append((case, imported, live, graph))
        except NetsukeError as error:
            wrong[case.name] = " ".join(str(error).split())
    for (case, imported, live, graph), model in zip(
        ready, compile_all([graph for *_, graph in ready]), strict=True
    ):
        rows = []
        for feeds in samples(case, imported, live):
            stored = {name: to_stored(graph, name, value) for name, value in feeds.items()}
            results = model.run(stored)
            rows.append({name: to_shown(graph, name, value) for name, value in results.items()})
        problem = difference(case, join(case, imported, rows))
        if problem:
            wrong[case.name] = problem
    return wrong


def to_stored(graph: Graph, name: str, shown: Array) -> Array:
    """A sample in the order of axes that the optimized graph keeps it in."""
    port = graph.ports.get(name)
    return shown if port is None else shown.transpose(port.axes)


def to_shown(graph: Graph, name: str, stored: Array) -> Array:
    """The reverse of `to_stored`."""
    port = graph.ports.get(name)
    return stored if port is None else stored.transpose(np.argsort(port.axes))
