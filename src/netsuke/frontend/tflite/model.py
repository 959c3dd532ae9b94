"""A TensorFlow Lite file as plain, checked records: no offset is left to follow but options."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from netsuke.frontend.tflite import schema
from netsuke.frontend.tflite.flatbuffer import File, Layout, Table
from netsuke.ir import Array

ELEMENTS_LIMIT = 1 << 31
RANK_LIMIT = 8


@dataclass(frozen=True, slots=True, eq=False)
class FileQuant:
    """A tensor's quantization as the file has it."""

    scale: tuple[float, ...]
    zero_point: tuple[int, ...]
    axis: int


@dataclass(frozen=True, slots=True, eq=False)
class FileTensor:
    """A tensor as the file has it, batch axis included.

    Attributes
    ----------
    shape
        Extents; a batch that is not fixed shows as 1.
    dynamic
        Axes whose extent is not fixed.
    dtype, bits
        The element type's name and the bits of one element.
    quant
        Or None.
    raw
        The bytes of a constant, or None.
    """

    name: str
    shape: tuple[int, ...]
    dynamic: tuple[int, ...]
    dtype: str
    bits: int
    quant: FileQuant | None
    raw: Array | None
    is_variable: bool
    is_sparse: bool


@dataclass(frozen=True, slots=True, eq=False)
class FileOperator:
    """One use of an operator; tensors are numbers, -1 an input that is left out.

    `pads` and `dilation` are set where a dilated convolution was put together again.
    """

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    table: Table
    is_custom: bool = False
    pads: tuple[tuple[int, int], tuple[int, int]] | None = None
    dilation: tuple[int, int] = (1, 1)

    def options(self, layout: Layout) -> Table:
        """The operator's options; the schema's defaults where the file has none."""
        union = self.table.integer("builtin_options_type")
        if union not in (0, layout.union):
            self.table.file.fail(f"{self.kind} has options of type {union}, not {layout.name}")
        table = self.table.table("builtin_options", layout) if union else None
        return table or Table.defaults(self.table.file, layout)


@dataclass(frozen=True, slots=True, eq=False)
class FileModel:
    """The main subgraph of a file."""

    file: File
    tensors: tuple[FileTensor, ...]
    operators: tuple[FileOperator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def read_model(data: bytes, place: str) -> FileModel:
    """Read the main subgraph.

    Raises
    ------
    ModelError
        When the bytes are no TensorFlow Lite file, or a damaged one.
    """
    file = File(data, place)
    if len(data) < 8 or data[4:8] != schema.IDENTIFIER:
        file.fail("is no TensorFlow Lite model: bytes 4 to 8 do not read TFL3")
    model = file.root(schema.MODEL)
    version = model.integer("version")
    if version != 3:
        file.fail(f"has schema version {version}; only version 3 was ever released")
    subgraphs = model.tables("subgraphs", schema.SUBGRAPH)
    if not subgraphs:
        file.fail("holds no subgraph")
    main = subgraphs[0]
    buffers = model.tables("buffers", schema.BUFFER)
    tensors = _name_apart(
        [_read_tensor(file, table, buffers) for table in main.tables("tensors", schema.TENSOR)]
    )
    codes = [_read_code(table) for table in model.tables("operator_codes", schema.OPERATOR_CODE)]
    count = len(tensors)
    return FileModel(
        file,
        tensors,
        tuple(
            _read_operator(file, table, codes, count)
            for table in main.tables("operators", schema.OPERATOR)
        ),
        _tensor_numbers(file, main, "inputs", count),
        _tensor_numbers(file, main, "outputs", count),
    )


def _tensor_numbers(
    file: File, table: Table, field: str, count: int, optional: bool = False
) -> tuple[int, ...]:
    numbers = tuple(table.numbers(field).tolist())
    for number in numbers:
        if not (0 <= number < count or (optional and number == -1)):
            file.fail(f"{table.layout.name}.{field} names tensor {number} of {count}")
    return numbers


def _read_code(table: Table) -> tuple[str, bool]:
    code = max(table.integer("builtin_code"), table.integer("deprecated_builtin_code"))
    if code == schema.CUSTOM:
        return table.text("custom_code") or "CUSTOM", True
    if 0 <= code < len(schema.BUILTINS):
        return schema.BUILTINS[code], False
    return f"operator {code}", True


def _read_operator(
    file: File, table: Table, codes: list[tuple[str, bool]], count: int
) -> FileOperator:
    index = table.integer("opcode_index")
    if index >= len(codes):
        file.fail(f"an operator has code {index} of {len(codes)}")
    kind, is_custom = codes[index]
    outputs = _tensor_numbers(file, table, "outputs", count)
    if not outputs and not is_custom:
        file.fail(f"{kind} has no output")
    inputs = _tensor_numbers(file, table, "inputs", count, optional=True)
    return FileOperator(kind, inputs, outputs, table, is_custom)


def _read_tensor(file: File, table: Table, buffers: list[Table]) -> FileTensor:
    name = table.text("name")
    what = f"tensor {name[:80]!r}"
    kind = table.integer("type")
    if not 0 <= kind < len(schema.TYPES):
        file.fail(f"{what} has the unknown element type {kind}")
    dtype, bits = schema.TYPES[kind]
    shape = tuple(table.numbers("shape").tolist())
    signature = tuple(table.numbers("shape_signature").tolist()) or shape
    if len(shape) > RANK_LIMIT or len(signature) != len(shape):
        file.fail(f"{what} has {len(shape)} axes and a signature of {len(signature)}")
    shape = tuple(1 if extent == -1 else extent for extent in shape)
    if any(extent < 0 for extent in shape) or math.prod(shape) > ELEMENTS_LIMIT:
        file.fail(f"{what} has the impossible shape {list(shape)}")
    return FileTensor(
        name,
        shape,
        tuple(axis for axis, extent in enumerate(signature) if extent < 0),
        dtype,
        bits,
        _read_quant(file, table, what, len(shape)),
        _read_buffer(file, table, buffers, what),
        table.flag("is_variable"),
        table.has("sparsity"),
    )


def _read_quant(file: File, table: Table, what: str, rank: int) -> FileQuant | None:
    quant = table.table("quantization", schema.QUANTIZATION)
    if quant is None:
        return None
    scale = tuple(quant.numbers("scale").tolist())
    zero = tuple(quant.numbers("zero_point").tolist())
    if not scale:
        return None
    if quant.integer("details_type"):
        file.fail(f"{what} has a quantization that is neither per tensor nor per channel")
    if len(zero) not in (0, len(scale)):
        file.fail(f"{what} has {len(scale)} scales, but {len(zero)} zero points")
    axis = quant.integer("quantized_dimension")
    if len(scale) > 1 and not 0 <= axis < rank:
        file.fail(f"{what} is quantized along axis {axis} of {rank}")
    return FileQuant(scale, zero or (0,) * len(scale), axis)


def _read_buffer(file: File, table: Table, buffers: list[Table], what: str) -> Array | None:
    """The bytes of a constant: in the buffer's vector, or behind the tables for large models."""
    index = table.integer("buffer")
    if index >= len(buffers):
        file.fail(f"{what} has buffer {index} of {len(buffers)}")
    buffer = buffers[index]
    data = buffer.numbers("data")
    if data.size:
        return data
    offset, size = buffer.integer("offset"), buffer.integer("size")
    if offset <= 1 or size == 0:
        return None
    file.span(offset, size, f"the data of {what}")
    file.spend(size)
    return np.frombuffer(file.data, np.uint8, size, offset)


def _name_apart(tensors: list[FileTensor]) -> tuple[FileTensor, ...]:
    """Give every tensor a name of its own, by a number behind where the file repeats one."""
    taken = {tensor.name for tensor in tensors}
    seen: dict[str, int] = {}
    result = []
    for index, tensor in enumerate(tensors):
        wish = tensor.name or f"tensor_{index}"
        number = seen.get(wish, 0)
        seen[wish] = number + 1
        name = wish if number == 0 else f"{wish}_{number}"
        while number and name in taken:
            number += 1
            name = f"{wish}_{number}"
            seen[wish] = number + 1
        taken.add(name)
        result.append(replace(tensor, name=name))
    return tuple(result)
