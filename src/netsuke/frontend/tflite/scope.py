"""What is known while a file is converted: values, constants, the batch axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from netsuke.errors import ModelError
from netsuke.frontend.tflite.constants import decode, quant_of
from netsuke.frontend.tflite.model import ELEMENTS_LIMIT, FileModel, FileTensor
from netsuke.ir import Array, GraphBuilder, Op, Quant, Tensor
from netsuke.ops import Reshape

STORED = {"float32": "float32", "int8": "int8", "int32": "int32", "int64": "int64", "bool": "bool"}


class Unsupported(Exception):
    """This use of an operator cannot be imported; a signal that the importer always catches."""


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor of the graph under construction.

    Attributes
    ----------
    name
        In the builder; its shape there has no batch axis.
    shape
        Shape in the file's terms, with the batch axis.
    batch
        The axis of `shape` that the graph leaves out, or None when it leaves out none.
    """

    name: str
    shape: tuple[int, ...]
    batch: int | None


class Scope:
    """The tensors of one file on their way into a graph."""

    def __init__(self, model: FileModel, name: str, batch: int) -> None:
        self.model = model
        self.batch = batch
        self.builder = GraphBuilder(name)
        self.values: dict[int, Value] = {}
        self.folded: dict[int, Array] = {}
        self._made: set[int] = set()
        self._views: dict[tuple[str, tuple[int, ...]], str] = {}
        self._read: set[str] = set()

    def fail(self, name: str, problem: str) -> NoReturn:
        raise ModelError(f"{self.model.file.place}: {name[:200]!r}", problem)

    def claim(self, index: int) -> None:
        """Note that a node makes this tensor; the file may say so once only."""
        tensor = self.model.tensors[index]
        if index in self._made or index in self.values or tensor.raw is not None:
            self.fail(tensor.name, "is computed, but has a value already")
        self._made.add(index)

    def is_known(self, index: int) -> bool:
        return index in self.values or index in self.folded

    def is_constant(self, index: int) -> bool:
        tensor = self.model.tensors[index]
        if index in self.folded or tensor.raw is not None:
            return True
        empty = math.prod(tensor.shape) == 0
        return empty and index not in self.values and index not in self._made

    def array(self, index: int) -> Array:
        """A constant in the form in which graphs store it (uint8 as int8, float16 as float32)."""
        if index not in self.folded:
            self.folded[index] = decode(self.model.file, self.model.tensors[index])
        return self.folded[index]

    def fold(self, index: int, array: Array) -> None:
        """Record a value that was computed while the file is read."""
        self.model.file.spend(array.nbytes)
        self.folded[index] = array

    def value(self, index: int) -> Value:
        """An activation, or a constant in the same form."""
        if index in self.values:
            value = self.values[index]
            # A constant may lie there in the shape in which it was needed first.
            name = value.name if value.batch is not None else self.reshape(value.name, value.shape)
            return Value(name, value.shape, value.batch)
        tensor = self.model.tensors[index]
        if self.is_constant(index):
            array = self.array(index)
            name = self.constant(tensor.name, array, quant_of(self.model.file, tensor, array))
            self.values[index] = Value(name, array.shape, None)
            return self.values[index]
        if tensor.is_variable:
            raise Unsupported(f"reads the state {tensor.name!r}")
        self.fail(tensor.name, "is read before it is computed")

    def constant(self, name: str, array: Array, quant: Quant | None) -> str:
        """Add a constant; its bytes are charged to the file's budget."""
        self.model.file.spend(array.nbytes)
        return self.builder.constant(name, array, quant)

    def activation_type(self, tensor: FileTensor) -> tuple[str, Quant | None]:
        """Element type and quantization under which the graph stores an activation."""
        if math.prod(tensor.shape) == 0:
            self.fail(tensor.name, f"is an activation without elements: {list(tensor.shape)}")
        if tensor.dtype == "uint8" and tensor.quant is None:
            return "uint8", None
        if tensor.dtype in ("int8", "uint8"):
            if tensor.quant is None:
                raise Unsupported(f"{tensor.name!r} is {tensor.dtype} without a quantization")
            if len(tensor.quant.scale) > 1:
                raise Unsupported(f"{tensor.name!r} has {len(tensor.quant.scale)} scales")
            return "int8", quant_of(self.model.file, tensor)
        if tensor.dtype not in STORED:
            raise Unsupported(f"{tensor.name!r} is {tensor.dtype}")
        return tensor.dtype, None

    def define(self, index: int, name: str, batch: int | None) -> None:
        """Record the value of a tensor, and check it against what the file declares."""
        tensor = self.model.tensors[index]
        sample = self.builder.tensors[name].shape
        shape = sample if batch is None else (*sample[:batch], self.batch, *sample[batch:])
        if math.prod(shape) > ELEMENTS_LIMIT:
            self.fail(tensor.name, f"has the impossible shape {list(shape)}")
        if tensor.shape and not tensor.dynamic and tensor.shape != shape:
            self.fail(
                tensor.name,
                f"is declared {list(tensor.shape)}, but its operator makes {list(shape)}",
            )
        self.values[index] = Value(name, shape, batch)

    def view(self, value: Value, batch: int | None) -> str:
        """The value with the given axis (of extent 1) left out, by a reshape if it must be."""
        if value.batch == batch and batch is not None:
            return value.name
        crosses = value.batch != batch and self.batch != 1
        if crosses or (batch is not None and value.shape[batch] != 1):
            raise Unsupported("works across the batch")
        shape = value.shape
        if batch is not None:
            shape = (*shape[:batch], *shape[batch + 1 :])
        return self.reshape(value.name, shape)

    def ordered(self, value: Value) -> str:
        """The value for a reshape of all its elements, wherever its batch axis is."""
        if self.batch != 1 and value.batch is not None:
            raise Unsupported("works across the batch")
        return value.name

    def reshape(self, name: str, shape: Sequence[int]) -> str:
        """The tensor in another shape; a constant is reshaped here, once for all."""
        shape = tuple(shape)
        tensor = self.builder.tensors[name]
        if tensor.shape == shape:
            return name
        if (name, shape) not in self._views:
            self._views[name, shape] = self._reshape(tensor, shape)
        return self._views[name, shape]

    def _reshape(self, tensor: Tensor, shape: tuple[int, ...]) -> str:
        name, quant = tensor.name, tensor.quant
        if tensor.data is None or (quant is not None and quant.axis is not None):
            return self.add(Reshape(shape), [name], [f"{name}/reshape"], [quant])[0]
        if name not in self._read:
            del self.builder.tensors[name]
        return self.constant(name, tensor.data.reshape(shape), quant)

    def add(
        self, op: Op, inputs: Sequence[str], names: Sequence[str], quants: Sequence[Quant | None]
    ) -> tuple[str, ...]:
        """Append a node."""
        self._read.update(inputs)
        return self.builder.add(op, inputs, names, quants)

    def stand_in(self, index: int) -> None:
        """Declare a tensor that nothing could compute, as if it were an input."""
        tensor = self.model.tensors[index]
        if tensor.raw is not None:
            return
        batched = bool(tensor.shape) and tensor.shape[0] == self.batch
        try:
            dtype, quant = self.activation_type(tensor)
        except (Unsupported, ModelError):
            dtype, quant = "float32", None
        shape = tensor.shape[1:] if batched else tensor.shape
        name = self.builder.input(tensor.name, shape, dtype, quant)
        self.values[index] = Value(name, tensor.shape, 0 if batched else None)


def as_integers(array: Array) -> tuple[int, ...]:
    """The elements of an integer constant."""
    if not np.issubdtype(array.dtype, np.integer) or array.size > 4096:
        raise Unsupported(f"takes {array.size} {array.dtype} numbers for a shape")
    return tuple(int(number) for number in array.reshape(-1))
