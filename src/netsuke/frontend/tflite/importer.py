"""From a file's records to a graph: operators in order, each by its converter."""

from __future__ import annotations

from dataclasses import replace

from netsuke.errors import GraphError, ModelError, QuantizationError, UnsupportedOperatorError
from netsuke.frontend.tflite import operators as operators  # fills the registry
from netsuke.frontend.tflite.call import Call
from netsuke.frontend.tflite.dilation import join_dilated_convolutions
from netsuke.frontend.tflite.model import FileModel, FileOperator
from netsuke.frontend.tflite.registry import CONVERTERS, fold
from netsuke.frontend.tflite.scope import Scope, Unsupported, Value
from netsuke.ir import Graph, Port


def import_model(model: FileModel, name: str) -> Graph:
    """Return the graph of a file's main subgraph.

    The first axis of the inputs is the batch if it is 1 or not fixed. Where it is another number,
    the whole input is taken as one sample; if an operator cannot do that, as a batch after all.

    Raises
    ------
    ModelError
        When the file contradicts itself.
    UnsupportedOperatorError
        With all operators that cannot be imported.
    """
    model = replace(model, operators=join_dilated_convolutions(model))
    extent = _fixed_batch(model)
    if extent is None:
        return _Import(model, name, 1).run()
    try:
        return _Import(model, name, 1).run()
    except UnsupportedOperatorError as whole:
        try:
            return _Import(model, name, extent).run()
        except UnsupportedOperatorError:
            raise whole from None


def _fixed_batch(model: FileModel) -> int | None:
    """The first extent that all inputs share, if it is fixed and not 1."""
    tensors = [model.tensors[index] for index in model.inputs]
    extents = {tensor.shape[0] if tensor.shape else 0 for tensor in tensors}
    if len(extents) != 1 or any(0 in tensor.dynamic for tensor in tensors):
        return None
    (extent,) = extents
    return extent if extent > 1 else None


class _Import:
    """One attempt to import a model with a given batch."""

    def __init__(self, model: FileModel, name: str, batch: int) -> None:
        self.model = model
        self.scope = Scope(model, name, batch)
        self.refused: list[tuple[str, str, str]] = []

    def run(self) -> Graph:
        for index in self.model.inputs:
            self._declare_input(index)
        for operator in self.model.operators:
            self._convert(operator)
        if self.refused:
            raise UnsupportedOperatorError(self.model.file.place, tuple(self.refused))
        return self._finish()

    def _declare_input(self, index: int) -> None:
        scope, tensor = self.scope, self.model.tensors[index]
        if index in scope.values:
            scope.fail(tensor.name, "is an input twice")
        open_axes = [axis for axis in tensor.dynamic if axis > 0]
        if open_axes:
            scope.fail(
                tensor.name,
                f"is an input whose axes {open_axes} are not fixed; "
                "export the model with a fixed shape",
            )
        batched = bool(tensor.shape) and tensor.shape[0] == scope.batch
        shape = tensor.shape[1:] if batched else tensor.shape
        try:
            dtype, quant = scope.activation_type(tensor)
        except Unsupported as reason:
            self.refused.append(("input", tensor.name, str(reason)))
            dtype, quant = "float32", None
        name = scope.builder.input(tensor.name, shape, dtype, quant)
        scope.values[index] = Value(name, tensor.shape, 0 if batched else None)
        self._add_port(index)

    def _convert(self, operator: FileOperator) -> None:
        call = Call(self.scope, operator)
        try:
            for index in operator.outputs:
                self.scope.claim(index)
            folded = fold(call)
            if folded is not None:
                self.scope.fold(operator.outputs[0], folded)
            elif operator.is_custom:
                raise Unsupported("is a custom operator")
            elif operator.kind not in CONVERTERS:
                raise Unsupported("netsuke has no such operator")
            elif operator.kind != "QUANTIZE" and call.mixes_signs():
                raise Unsupported("mixes int8 with uint8")
            else:
                CONVERTERS[operator.kind](call)
        except Unsupported as reason:
            self._refuse(operator, call.name, str(reason))
        except (GraphError, QuantizationError) as error:
            if not self.refused:
                place = f"{self.model.file.place}: {operator.kind} at {call.name!r}"
                raise ModelError(place, str(error)) from error
            self._stand_in(operator)
        except ModelError:
            if not self.refused:
                raise
            self._stand_in(operator)

    def _refuse(self, operator: FileOperator, name: str, why: str) -> None:
        self.refused.append((operator.kind, name, why))
        self._stand_in(operator)

    def _stand_in(self, operator: FileOperator) -> None:
        """Declare the outputs of a refused operator, so that the rest of the file is looked at."""
        for index in operator.outputs:
            if not self.scope.is_known(index):
                self.scope.stand_in(index)

    def _finish(self) -> Graph:
        scope = self.scope
        outputs = []
        for index in self.model.outputs:
            outputs.append(scope.value(index).name)
            self._add_port(index)
        if not outputs:
            scope.fail(self.model.file.place, "has no output")
        try:
            return scope.builder.build(outputs)
        except (GraphError, QuantizationError) as error:
            raise ModelError(self.model.file.place, str(error)) from error

    def _add_port(self, index: int) -> None:
        """Remember the element type that the file shows where the graph stores another."""
        tensor, scope = self.model.tensors[index], self.scope
        stored = scope.builder.tensors[scope.value(index).name]
        if stored.dtype != tensor.dtype:
            axes = tuple(range(len(stored.shape)))
            scope.builder.ports[stored.name] = Port(axes, tensor.dtype)
