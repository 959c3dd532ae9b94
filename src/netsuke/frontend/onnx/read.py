"""Bytes of an ONNX file, which nobody vouches for, become a checked ModelProto and arrays."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import numpy as np

from netsuke.errors import ModelError
from netsuke.ir import Array

MOST_BYTES = (1 << 31) - 1
"""A protobuf message cannot be larger; weights beyond lie in external files."""

OLDEST_OPSET = 7
_MOST_NODES = 100_000


def parse(source: str | Path | bytes | Any) -> tuple[Any, str, Path | None]:
    """Return (ModelProto, name of the place for errors, folder of external data).

    Raises
    ------
    ModelError
        When the file is missing, not ONNX, truncated or too old.
    """
    import onnx

    if isinstance(source, onnx.ModelProto):
        model, place, folder = source, "ONNX model", None
    else:
        content, place, folder = _content(source)
        try:
            model = onnx.ModelProto.FromString(content)
        except Exception as error:  # protobuf's error type differs between its versions
            raise ModelError(place, f"is not a whole ONNX model ({error})") from None
    if not model.HasField("graph") or not model.graph.output:
        raise ModelError(place, "is not an ONNX model: it holds no graph with an output")
    count = _node_count(model, place)
    if count > _MOST_NODES:
        raise ModelError(place, f"holds {count:,} nodes, more than {_MOST_NODES:,}")
    if model.functions:
        model = _inline(model, place)
    return model, place, folder


def _content(source: str | Path | bytes) -> tuple[bytes, str, Path | None]:
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source), "ONNX model", None
    path = Path(source)
    try:
        if not path.is_file():
            raise ModelError(str(path), "no such file")
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise ModelError(str(path), f"is {size:,} B, more than an ONNX file may be")
        return path.read_bytes(), str(path), path.parent
    except OSError as error:
        raise ModelError(str(path), f"cannot be read ({error.strerror})") from None


def _node_count(model: Any, place: str) -> int:
    """Nodes after all local functions are inlined; functions that call themselves are refused."""
    functions = {(function.domain, function.name): function for function in model.functions}
    sizes: dict[tuple[str, str], int] = {}

    def size(nodes: Any, active: tuple[tuple[str, str], ...]) -> int:
        total = 0
        for node in nodes:
            key = (node.domain, node.op_type)
            if key in active or len(active) > 100:
                raise ModelError(place, f"function {node.op_type!r} calls itself")
            if key in functions and key not in sizes:
                sizes[key] = size(functions[key].node, (*active, key))
            total = min(total + sizes.get(key, 1), _MOST_NODES + 1)
        return total

    return size(model.graph.node, ())


def _inline(model: Any, place: str) -> Any:
    from onnx import inliner

    try:
        return inliner.inline_local_functions(model)
    except Exception as error:
        raise ModelError(place, f"its local functions cannot be inlined ({error})") from None


def opset_of(model: Any, place: str) -> int:
    """Version of the standard operators that a model uses."""
    versions = [entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    if not versions:
        raise ModelError(place, "does not say which opset it uses")
    if versions[0] < OLDEST_OPSET:
        raise ModelError(
            place,
            f"uses opset {versions[0]}; {OLDEST_OPSET} is the oldest that is supported. "
            "Convert it with onnx.version_converter.",
        )
    return int(versions[0])


def array_of(tensor: Any, place: str, folder: Path | None) -> Array:
    """The array of a TensorProto, after its size has been checked against its bytes.

    Raises
    ------
    ModelError
        When dimensions and data disagree, or external data cannot be had.
    """
    from onnx import TensorProto, numpy_helper

    where = f"{place}, initializer {tensor.name!r}"
    if any(extent < 0 for extent in tensor.dims):
        raise ModelError(where, f"has the shape {list(tensor.dims)}")
    count = math.prod(tensor.dims)
    bits = _BITS.get(tensor.data_type)
    if bits is None:
        raise ModelError(where, f"has the element type {tensor.data_type}, which is not supported")
    size = (count * bits + 7) // 8
    if size > MOST_BYTES:
        raise ModelError(where, f"has the shape {list(tensor.dims)}, {size:,} B")
    if tensor.data_location == TensorProto.EXTERNAL:
        content = _external(tensor, where, folder, size)
        inner = TensorProto(data_type=tensor.data_type, dims=tensor.dims, raw_data=content)
    else:
        inner = tensor
        _check_size(tensor, where, count, size)
    try:
        array = np.asarray(numpy_helper.to_array(inner))
    except Exception as error:
        raise ModelError(where, f"cannot be decoded ({error})") from None
    if str(array.dtype) in ("float64", "float16", "bfloat16"):
        array = array.astype(np.float32)
    return array


def is_readable(tensor: Any) -> bool:
    """Whether the elements of a TensorProto are numbers of a type that can be read."""
    return tensor.data_type in _BITS


_BITS = {1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64}
_BITS |= {16: 16, 21: 4, 22: 4}
"""Bits of an element of the element types that can be read."""


def _check_size(tensor: Any, where: str, count: int, size: int) -> None:
    if tensor.HasField("raw_data"):
        if len(tensor.raw_data) != size:
            raise ModelError(where, f"holds {len(tensor.raw_data):,} B instead of {size:,}")
        return
    held = max(
        len(field)
        for field in (
            tensor.float_data,
            tensor.int32_data,
            tensor.int64_data,
            tensor.double_data,
            tensor.uint64_data,
        )
    )
    packed = count if _BITS[tensor.data_type] >= 8 else (count + 1) // 2
    if held != packed:
        raise ModelError(where, f"holds {held:,} elements, its shape {list(tensor.dims)} {count:,}")


def _external(tensor: Any, where: str, folder: Path | None, size: int) -> bytes:
    """Bytes from a file beside the model; nothing outside the model's folder is ever read."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    if folder is None:
        raise ModelError(where, "lies in an external file; load the model by its path")
    root = folder.resolve()
    path = Path(os.path.realpath(root / location))
    if not location or Path(location).is_absolute() or not path.is_relative_to(root):
        raise ModelError(where, f"names the external file {location!r}, outside its folder")
    try:
        offset, length = int(entries.get("offset", "0")), int(entries.get("length", str(size)))
    except ValueError:
        raise ModelError(where, "has an external offset or length that is no number") from None
    if offset < 0 or length != size:
        raise ModelError(where, f"has {length:,} external bytes at {offset:,}, needs {size:,}")
    try:
        if not path.is_file() or path.stat().st_size < offset + size:
            raise ModelError(where, f"needs {offset + size:,} B in {location!r}, which is shorter")
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(size)
    except OSError as error:
        raise ModelError(where, f"{location!r} cannot be read ({error.strerror})") from None


def dims_of(value_info: Any, place: str) -> list[int | None]:
    """Extents of a graph input, None for those that are left open."""
    where = f"{place}, input {value_info.name!r}"
    if not value_info.type.HasField("tensor_type"):
        raise ModelError(where, "is not a tensor")
    kind = value_info.type.tensor_type
    if not kind.HasField("shape"):
        raise ModelError(
            where, f"has no shape; say which, for example 'model.onnx?{value_info.name}=1x3x96x96'"
        )
    dims = [
        int(dim.dim_value) if dim.HasField("dim_value") and dim.dim_value > 0 else None
        for dim in kind.shape.dim
    ]
    if any(dim.HasField("dim_value") and dim.dim_value < 0 for dim in kind.shape.dim):
        raise ModelError(where, "has a negative extent")
    if len(dims) > 16:
        raise ModelError(where, f"has {len(dims)} axes")
    return dims


DTYPES = {1: "float32", 2: "uint8", 3: "int8", 5: "int16", 6: "int32", 7: "int64", 9: "bool"}
DTYPES |= {10: "float32", 11: "float32", 16: "float32"}
"""ONNX element type -> ours; other floats are computed in float32."""
