"""One operator of a file, as its converter sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NoReturn

import numpy as np

from netsuke.frontend.tflite.constants import quant_of
from netsuke.frontend.tflite.flatbuffer import Layout, Table
from netsuke.frontend.tflite.model import FileOperator, FileTensor
from netsuke.frontend.tflite.scope import Scope, Unsupported, Value, as_integers
from netsuke.ir import Array, Op, Quant
from netsuke.ops import Reshape


class Call:
    """What a converter reads of its operator, and how it appends nodes.

    Inputs and outputs are counted as in the file; axes are those of the file (batch included)
    until `sample_axis` turns them into axes of one sample.
    """

    def __init__(self, scope: Scope, operator: FileOperator) -> None:
        self.scope = scope
        self.operator = operator

    @property
    def name(self) -> str:
        """The first output's name, which is how netsuke calls a node."""
        outputs = self.operator.outputs
        return self.scope.model.tensors[outputs[0]].name if outputs else self.operator.kind

    def fail(self, problem: str) -> NoReturn:
        """Refuse the file: it contradicts itself."""
        self.scope.fail(self.name, f"{self.operator.kind} {problem}")

    def options(self, layout: Layout) -> Table:
        return self.operator.options(layout)

    # Inputs

    def has(self, number: int) -> bool:
        """Whether an input is there (the file may leave out the last ones, or write -1)."""
        inputs = self.operator.inputs
        return number < len(inputs) and inputs[number] >= 0

    def index(self, number: int) -> int:
        if not self.has(number):
            self.fail(f"has no input {number}")
        return self.operator.inputs[number]

    def tensor(self, number: int) -> FileTensor:
        return self.scope.model.tensors[self.index(number)]

    def output(self, number: int) -> FileTensor:
        if number >= len(self.operator.outputs):
            self.fail(f"has no output {number}")
        return self.scope.model.tensors[self.operator.outputs[number]]

    def is_constant_call(self) -> bool:
        """Whether every input is a constant."""
        indices = [index for index in self.operator.inputs if index >= 0]
        return bool(indices) and all(self.scope.is_constant(index) for index in indices)

    def mixes_signs(self) -> bool:
        """Whether signed and unsigned bytes meet in this operator."""
        numbers = {*self.operator.inputs, *self.operator.outputs} - {-1}
        return {"int8", "uint8"} <= {self.scope.model.tensors[n].dtype for n in numbers}

    def value(self, number: int) -> Value:
        return self.scope.value(self.index(number))

    def values(self) -> list[Value]:
        return [self.value(number) for number in range(len(self.operator.inputs))]

    def sample(self, number: int, rank: int | None = None) -> str:
        """The input without a leading batch axis; `rank` is that of one sample."""
        value = self.value(number)
        if not value.shape:
            raise Unsupported(f"takes the scalar {value.name!r} where a batch is needed")
        if rank is not None and len(value.shape) != rank + 1:
            raise Unsupported(f"has an input of {len(value.shape)} axes, not {rank + 1}")
        return self.scope.view(value, 0)

    def array(self, number: int) -> Array:
        """A constant input in the form in which graphs store it."""
        index = self.index(number)
        if not self.scope.is_constant(index):
            name = self.tensor(number).name
            raise Unsupported(f"needs the constant {name!r}, which is computed while it runs")
        return self.scope.array(index)

    def integers(self, number: int) -> tuple[int, ...]:
        """A constant input that holds integers (axes, shapes, paddings)."""
        return as_integers(self.array(number))

    def quant(self, number: int) -> Quant | None:
        """A constant's quantization, along an axis of the file's layout."""
        return quant_of(self.scope.model.file, self.tensor(number), self.array(number))

    def stored(self, name: str) -> tuple[str, Quant | None, tuple[int, ...]]:
        """Element type, quantization and sample shape of a tensor of the graph."""
        tensor = self.scope.builder.tensors[name]
        return tensor.dtype, tensor.quant, tensor.shape

    # Axes

    def sample_axis(self, value: Value, axis: int) -> int:
        """The axis of one sample that a file's axis is."""
        rank = len(value.shape)
        if not -rank <= axis < rank:
            self.fail(f"names axis {axis} of {rank}")
        axis %= rank
        if value.batch is None:
            return axis
        if axis == value.batch:
            raise Unsupported("works across the batch")
        return axis - (axis > value.batch)

    # Nodes

    def constant(self, name: str, array: Array, quant: Quant | None = None) -> str:
        return self.scope.constant(name, array, quant)

    def zeros(self, what: str, count: int, dtype: str) -> str:
        """A constant of zeros that the file leaves out."""
        self.scope.model.file.spend(4 * count)
        return self.constant(f"{self.name}/{what}", np.zeros(count, dtype))

    def step(
        self, op: Op, *inputs: str, quant: Quant | None = None, like: str | None = None
    ) -> str:
        """Append a node that the file does not have; `like` names a tensor to share the quant."""
        if like is not None:
            quant = self.scope.builder.tensors[like].quant
        return self.scope.add(op, inputs, [f"{self.name}/{op.kind}"], [quant])[0]

    def emit(
        self,
        op: Op,
        inputs: Sequence[str],
        batch: int | None = 0,
        only: int | None = None,
        extra: int = 0,
    ) -> None:
        """Append the node that makes the operator's outputs.

        Parameters
        ----------
        op
            Its outputs are the operator's, in order, and `extra` ones that the file does not have.
        inputs
            Names in the graph.
        batch
            Where the outputs have their batch axis in the file's terms.
        only
            The number of the one output that the node makes, or None for all.
        """
        scope, builder = self.scope, self.scope.builder
        types = op.infer([builder.tensors[name] for name in inputs])
        numbers = [only] if only is not None else list(range(len(self.operator.outputs)))
        if len(numbers) != len(types) - extra:
            self.fail(f"has {len(numbers)} outputs, not {len(types) - extra}")
        quants: list[Quant | None] = []
        for number, kind in zip(numbers, types, strict=False):
            dtype, quant = scope.activation_type(self.output(number))
            if dtype != kind.dtype and (dtype, kind.dtype) != ("int64", "int32"):
                raise Unsupported(f"makes {dtype} of {self.stored(inputs[0])[0]}")
            quants.append(quant)
        if op.rule.shared:
            self._check_shared(op, inputs, quants)
        made = scope.add(op, inputs, [self.output(number).name for number in numbers], quants)
        for number, name in zip(numbers, made, strict=False):
            scope.define(self.operator.outputs[number], name, batch)

    def _check_shared(self, op: Op, inputs: Sequence[str], quants: Sequence[Quant | None]) -> None:
        tensors = [self.scope.builder.tensors[name] for name in inputs]
        moved = [t.quant for i, t in enumerate(tensors) if i not in op.rule.float_inputs]
        if len({replace(quant, axis=None) if quant else None for quant in [*moved, *quants]}) > 1:
            raise Unsupported("moves integers from one quantization into another")

    def alias(self, value: Value) -> None:
        """Let the output be the input itself."""
        self.scope.values[self.operator.outputs[0]] = value

    def emit_reshape(
        self, name: str, shape: Sequence[int], batch: int | None = 0, only: int | None = None
    ) -> None:
        """Append the reshape to a sample shape that makes the output, or the one output `only`."""
        self.emit(Reshape(tuple(shape)), [name], batch, only)
