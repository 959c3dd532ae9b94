"""One import under way: the graph so far, and where the batch axis is.

Our graphs hold one sample. Which axis of a model's input counts samples is an assumption, made
once for all inputs; a `Session` is one attempt under one assumption. Each `Value` carries the
position of its batch axis along. An operator that works on that axis makes the attempt fail with
`BatchAxisError` - unless there is only one sample in a batch: then the axis has extent 1 and is
brought into the open by a reshape, which costs nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from netsuke.errors import ModelError
from netsuke.frontend.nchw.value import BatchAxisError, CannotImportError, Twin, Value, without
from netsuke.ir import GraphBuilder, Op, Quant, Tensor
from netsuke.ops import ArgMax, Dequantize, Reshape, Transpose

MOST_ELEMENTS = 1 << 28
"""No activation of a network for small devices has more elements; beyond, the file is absurd."""

_MOST_FOLDED = 1 << 24
_SAME = -1


class Session:
    """One attempt to import a model.

    Attributes
    ----------
    place
        The file, for errors.
    builder
        The graph so far.
    samples
        Extent of the batch axis.
    twins
        Constant's name -> the integers that stand for it in the file.
    """

    def __init__(self, place: str, name: str, samples: int = 1) -> None:
        self.place = place
        self.builder = GraphBuilder(name)
        self.samples = samples
        self.twins: dict[str, Twin] = {}
        self._constants: dict[tuple[str, tuple[int, ...], int], str] = {}
        self.next_label = "value"

    def input(
        self, name: str, shape: Sequence[int], batch: int | None, dtype: str, quant: Quant | None
    ) -> Value:
        """Declare an input of the model; `shape` is the file's."""
        self._limit(name, shape)
        tensor = self.builder.input(name, without(shape, batch), dtype, quant)
        return Value(name, tuple(shape), dtype, batch, tensor)

    def constant(self, label: str, data: npt.ArrayLike) -> Value:
        """A known value; it enters the graph when an operator reads it."""
        array = np.asarray(data)
        if array.dtype in (np.float64, np.float16):
            array = array.astype(np.float32)
        return Value(label, array.shape, str(array.dtype), data=array)

    def tensor(self, value: Value) -> str:
        """Name of the builder's tensor for a value; adds constants to the graph."""
        if value.data is None:
            return value.tensor
        data = value.data
        if data.dtype == np.float32 and not np.isfinite(data).all():
            bad = int((~np.isfinite(data)).sum())
            raise ModelError(f"{self.place}, {value.label!r}", f"holds {bad} NaN or infinity")
        key = (value.label, data.shape, hash((str(data.dtype), data.tobytes())))
        if key not in self._constants:
            name = self.builder.constant(
                value.label, np.ascontiguousarray(data).reshape(data.shape)
            )
            self._constants[key] = name
        name = self._constants[key]
        if value.twin is not None:
            self.twins[name] = value.twin
        return name

    def emit(self, op: Op, *values: Value, batch: int | None = _SAME) -> Value:
        """Append an operator with one output; its batch axis stands at `batch`.

        By default it stands where that of the first computed input does.
        """
        (result,) = self.emit_all(op, *values, batches=(batch,))
        return result

    def emit_all(self, op: Op, *values: Value, batches: Sequence[int | None]) -> tuple[Value, ...]:
        """Append an operator; computes it at once when all its inputs are known."""
        same = next((value.batch for value in values if value.data is None), values[0].batch)
        positions = [same if batch == _SAME else batch for batch in batches]
        known = [value.data for value in values if value.data is not None]
        if len(known) == len(values):
            folded = self._fold(op, values)
            if folded is not None:
                return tuple(
                    replace(value, batch=batch, shape=self._shown(value.shape, batch))
                    for value, batch in zip(folded, positions, strict=True)
                )
        names = [self.tensor(value) for value in values]
        self._refuse_integers(op, values)
        for kind in op.infer([self.builder.tensors[name] for name in names]):
            self._limit(self.next_label, kind.shape)
        outputs = self.builder.add(op, names, [f"{self.next_label}.{op.kind}"] * len(positions))
        self._carry_quant(op, names, outputs)
        unsigned = op.rule.shared and values[0].dtype == "uint8"
        return tuple(
            Value(
                name,
                self._shown(tensor.shape, batch),
                "uint8" if unsigned else tensor.dtype,
                batch,
                name,
            )
            for name, batch in zip(outputs, positions, strict=True)
            for tensor in (self.builder.tensors[name],)
        )

    def _refuse_integers(self, op: Op, values: Sequence[Value]) -> None:
        """Integers may be moved, dequantized and compared; they are no numbers to compute with."""
        if op.rule.shared or isinstance(op, ArgMax | Dequantize | Reshape):
            return
        for value in values:
            if value.data is None and value.dtype != "float32":
                raise CannotImportError(f"computes on {value.dtype} ({value.label!r})")

    def _fold(self, op: Op, values: Sequence[Value]) -> list[Value] | None:
        tensors = [
            Tensor(value.label, value.stored, value.dtype, None, value.data) for value in values
        ]
        kinds = op.infer(tensors)
        outputs = [Tensor("", kind.shape, kind.dtype) for kind in kinds]
        if sum(math.prod(kind.shape) for kind in kinds) > _MOST_FOLDED or (
            op.cost(tensors, outputs).macs > 10 * _MOST_FOLDED
        ):
            return None
        arrays = op.reference(*(value.data for value in values if value.data is not None))
        return [
            Value(self.next_label, kind.shape, kind.dtype, data=np.asarray(array, kind.dtype))
            for kind, array in zip(kinds, arrays, strict=True)
        ]

    def _carry_quant(self, op: Op, names: Sequence[str], outputs: Sequence[str]) -> None:
        """Moving integers about does not change what they stand for."""
        tensors = self.builder.tensors
        if op.rule.shared and tensors[names[0]].quant is not None:
            for name in outputs:
                tensors[name] = replace(tensors[name], quant=tensors[names[0]].quant)

    def set_quant(self, value: Value, quant: Quant) -> None:
        """Say what the integers of a computed value stand for, also before they were moved."""
        tensors = self.builder.tensors
        makers = {name: node for node in self.builder.nodes for name in node.outputs}
        name = value.tensor
        while True:
            tensor = tensors[name]
            if tensor.quant not in (None, quant):
                raise CannotImportError(f"reads {value.label!r} with two quantizations")
            tensors[name] = replace(tensor, quant=quant)
            maker = makers.get(name)
            if tensor.quant is not None or maker is None or not maker.op.rule.shared:
                return
            name = maker.inputs[0]

    def _shown(self, stored: Sequence[int], batch: int | None) -> tuple[int, ...]:
        shape = list(stored)
        if batch is not None:
            shape.insert(batch, self.samples)
        return tuple(shape)

    def _limit(self, name: str, shape: Sequence[int]) -> None:
        if any(extent <= 0 for extent in shape):
            raise ModelError(f"{self.place}, {name!r}", f"has the empty shape {list(shape)}")
        if math.prod(shape) > MOST_ELEMENTS:
            raise ModelError(
                f"{self.place}, {name!r}",
                f"has {math.prod(shape):,} elements, more than {MOST_ELEMENTS:,}; "
                "this cannot run on a small device",
            )

    def axis(self, value: Value, axis: int) -> int:
        """The stored axis that stands for an axis of the file (negative ones count from behind)."""
        shown = shown_axis(value, axis)
        if shown == value.batch:
            raise BatchAxisError(f"works on axis {axis} of {list(value.shape)}, the batch axis")
        return shown - (value.batch is not None and shown > value.batch)

    def reshape(self, value: Value, shape: Sequence[int], batch: int | None) -> Value:
        """Another shape (the file's) with the batch axis at `batch`; no node if nothing moves."""
        stored = without(shape, batch)
        if stored == value.stored:
            return replace(value, shape=tuple(shape), batch=batch)
        if value.data is not None:
            if math.prod(stored) != value.data.size:
                raise CannotImportError(f"cannot reshape {list(value.shape)} to {list(shape)}")
            return replace(
                value,
                shape=tuple(shape),
                batch=batch,
                data=value.data.reshape(stored),
                twin=value.twin and value.twin.reshape(stored),
            )
        return self.emit(Reshape(stored), value, batch=batch)

    def transpose(self, value: Value, axes: Sequence[int]) -> Value:
        """Permute the axes of the file."""
        if sorted(axes) != list(range(value.rank)):
            raise CannotImportError(f"axes {list(axes)} do not permute {list(value.shape)}")
        shape = tuple(value.shape[axis] for axis in axes)
        batch = None if value.batch is None else list(axes).index(value.batch)
        stored = tuple(self.axis(value, axis) for axis in axes if axis != value.batch)
        if stored == tuple(range(len(stored))):
            return replace(value, shape=shape, batch=batch)
        if value.data is not None:
            return replace(
                value,
                shape=shape,
                batch=batch,
                data=value.data.transpose(stored),
                twin=value.twin and value.twin.transpose(stored),
            )
        return self.emit(Transpose(stored), value, batch=batch)

    def whole(self, value: Value) -> Value:
        """The value with its batch axis in the open, which takes a batch of one."""
        if value.batch is None:
            return value
        if self.samples != 1:
            raise BatchAxisError(f"needs all {self.samples} samples of a batch at once")
        return self.reshape(value, value.shape, None)

    def hide(self, value: Value, axis: int = 0) -> Value:
        """The value with its batch axis at `axis`, as convolution and others have it."""
        if value.batch == axis:
            return value
        if value.data is not None and value.batch is None and value.rank > axis:
            value = self._one_for_all(value, axis)
        value = self.whole(value)
        if value.rank > axis and value.shape[axis] == 1 and value.data is not None:
            shape = (*value.shape[:axis], self.samples, *value.shape[axis + 1 :])
            return self.reshape(value, shape, axis)
        if self.samples != 1 or value.rank <= axis or value.shape[axis] != 1:
            raise BatchAxisError(f"needs a batch at axis {axis} of {list(value.shape)}")
        return self.reshape(value, value.shape, axis)

    def _one_for_all(self, value: Value, axis: int) -> Value:
        """A constant that is the same for all samples, with extent 1 along their axis."""
        data = value.data
        if data is None or value.batch is not None or data.shape[axis] != self.samples:
            return value
        first = data.take([0], axis)
        if self.samples == 1 or not (data == first).all():
            return value
        return replace(value, shape=first.shape, data=first, twin=None)

    def free(self, value: Value, *axes: int) -> Value:
        """The value, with its batch axis in the open if it is among the axes."""
        touched = {shown_axis(value, axis) for axis in axes}
        return self.whole(value) if value.batch in touched else value

    def align(self, values: Sequence[Value]) -> tuple[list[Value], int | None]:
        """Prepare values for broadcasting; returns them and where the result's batch axis is.

        Shapes are aligned from behind, so the batch axes must be equally far from the end.
        """
        rank = max(value.rank for value in values)
        ends = {value.rank - value.batch for value in values if value.batch is not None}
        if not ends:
            return list(values), None
        end = next(iter(ends))
        values = [
            self._one_for_all(value, value.rank - end) if value.rank >= end else value
            for value in values
        ]
        fits = len(ends) == 1 and all(
            value.batch is not None or value.rank < end or value.shape[-end] == 1
            for value in values
        )
        if not fits:
            return [self.whole(value) for value in values], None
        aligned = [
            self.reshape(value, without(value.shape, value.rank - end), None)
            if value.batch is None and value.rank >= end
            else value
            for value in values
        ]
        return aligned, rank - end


def shown_axis(value: Value, axis: int) -> int:
    """An axis of the file, counted from the front."""
    if not -value.rank <= axis < value.rank:
        raise CannotImportError(f"axis {axis} is outside {list(value.shape)}")
    return axis % value.rank
