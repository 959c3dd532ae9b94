"""A graph as bytes and back: JSON for the structure, raw arrays for the constants, no code.

The layout is one line `MAGIC`, eight bytes (little-endian) that give the length of the JSON text,
the text, then the constants' elements, each at a multiple of 8 bytes, little-endian. Equal graphs
give equal bytes. Reading trusts nothing: the bytes may come from anybody.
"""

from __future__ import annotations

import json
import math
import types
import typing
from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from netsuke.errors import ModelError, NetsukeError
from netsuke.ir.graph import Graph, Node, Port, verify
from netsuke.ir.op import Op
from netsuke.ir.tensor import ITEMSIZE, Array, Quant, Tensor

MAGIC = b"netsuke graph 1\n"
LARGEST_EXTENT = 1 << 31
LARGEST_RANK = 16


def save_graph(graph: Graph) -> bytes:
    """Return a graph as bytes that `load_graph` turns into an equal graph."""
    blob = bytearray()
    tensors = []
    for name in sorted(graph.tensors):
        tensor = graph.tensors[name]
        entry: dict[str, Any] = {"name": name, "shape": tensor.shape, "dtype": tensor.dtype}
        if tensor.quant is not None:
            entry["quant"] = _fields(tensor.quant)
        if tensor.data is not None:
            blob += bytes(-len(blob) % 8)
            entry["offset"] = len(blob)
            blob += np.ascontiguousarray(tensor.data).astype(_little(tensor.dtype)).tobytes()
        tensors.append(entry)
    document = {
        "name": graph.name,
        "inputs": graph.inputs,
        "outputs": graph.outputs,
        "nodes": [
            {
                "op": type(node.op).__name__,
                "fields": _fields(node.op),
                "inputs": node.inputs,
                "outputs": node.outputs,
            }
            for node in graph.nodes
        ],
        "ports": {
            name: {"axes": port.axes, "dtype": port.dtype}
            for name, port in sorted(graph.ports.items())
        },
        "tensors": tensors,
    }
    text = json.dumps(document, allow_nan=False, separators=(",", ":"), default=_scalar).encode()
    text += b" " * (-(len(MAGIC) + 8 + len(text)) % 8)
    return MAGIC + len(text).to_bytes(8, "little") + text + bytes(blob)


def load_graph(data: bytes, operators: Iterable[type[Op]], place: str = "graph") -> Graph:
    """Return the graph that `save_graph` wrote, verified.

    Parameters
    ----------
    data
        The bytes; they may come from anybody.
    operators
        The operators that the graph may use (`netsuke.ops.OPERATORS`).
    place
        Where the bytes came from, for the error.

    Raises
    ------
    ModelError
        When the bytes are truncated, inconsistent, or use an operator that is not listed.
    """
    try:
        document, blob = _parts(data)
        known = {operator.__name__: operator for operator in operators}
        tensors = [_tensor(entry, blob) for entry in _list(document["tensors"], dict)]
        return verify(
            Graph(
                inputs=_names(document["inputs"]),
                outputs=_names(document["outputs"]),
                nodes=tuple(_node(entry, known) for entry in _list(document["nodes"], dict)),
                tensors={tensor.name: tensor for tensor in tensors},
                name=_typed(document["name"], str),
                ports={name: _port(entry) for name, entry in _dict(document["ports"]).items()},
            )
        )
    except KeyError as error:
        raise ModelError(place, f"lacks the entry {error}") from None
    except NetsukeError as error:
        raise ModelError(place, str(error)) from None
    # An operator's shape rule may stumble over nonsense in any way; none may escape.
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError) as error:
        raise ModelError(place, f"is inconsistent: {error}") from None
    except (AssertionError, MemoryError, ValueError) as error:
        raise ModelError(place, f"is damaged: {error}") from None


def _little(dtype: str) -> np.dtype[Any]:
    return np.dtype(dtype).newbyteorder("<")


def _scalar(value: Any) -> Any:
    if isinstance(value, np.generic):
        return _encode(value.item())
    raise TypeError(f"{type(value).__name__} cannot be kept in a graph file")


def _encode(value: Any) -> Any:
    """JSON has no infinity: a float that is not finite becomes ``{"float": "inf"}``."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": repr(value)}
    if isinstance(value, tuple | list):
        return [_encode(item) for item in value]
    return value


def _decode(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_decode(item) for item in value)
    if isinstance(value, dict):
        return {"inf": math.inf, "-inf": -math.inf}[value["float"]]
    return value


def _fields(instance: Any) -> dict[str, Any]:
    if not is_dataclass(instance):
        return {}
    return {field.name: _encode(getattr(instance, field.name)) for field in fields(instance)}


def _parts(data: bytes) -> tuple[dict[str, Any], bytes]:
    start = len(MAGIC) + 8
    if not data.startswith(MAGIC):
        raise ValueError("it does not start as a graph file does")
    length = int.from_bytes(data[len(MAGIC) : start], "little")
    if len(data) < start + length:
        raise ValueError(f"it ends after {len(data)} bytes, inside its description")
    return _dict(json.loads(data[start : start + length])), data[start + length :]


def _typed(value: Any, kind: type[Any]) -> Any:
    if type(value) is not kind:
        raise TypeError(f"{str(value)[:40]!r} stands where {kind.__name__} is expected")
    return value


def _dict(value: Any) -> dict[str, Any]:
    return typing.cast("dict[str, Any]", _typed(value, dict))


def _list(value: Any, kind: type[Any]) -> list[Any]:
    return [_typed(item, kind) for item in _typed(value, list)]


def _names(value: Any) -> tuple[str, ...]:
    return tuple(_list(value, str))


def _tensor(entry: dict[str, Any], blob: bytes) -> Tensor:
    name, shape = _typed(entry["name"], str), tuple(_list(entry["shape"], int))
    dtype = _typed(entry["dtype"], str)
    if dtype not in ITEMSIZE:
        raise ValueError(f"tensor {name!r} has the unknown element type {dtype!r}")
    if len(shape) > LARGEST_RANK or not all(0 <= extent < LARGEST_EXTENT for extent in shape):
        raise ValueError(f"tensor {name!r} has the impossible shape {str(shape)[:80]}")
    quant = _rebuild(Quant, entry["quant"]) if "quant" in entry else None
    tensor = Tensor(name, shape, dtype, quant)
    if "offset" not in entry:
        return tensor
    return Tensor(name, shape, dtype, quant, _array(tensor, _typed(entry["offset"], int), blob))


def _array(tensor: Tensor, offset: int, blob: bytes) -> Array:
    if not 0 <= offset <= len(blob) - tensor.size:
        raise ValueError(
            f"constant {tensor.name!r} needs {tensor.size} bytes at {offset}, "
            f"but the file holds {len(blob)}"
        )
    raw = np.frombuffer(blob, _little(tensor.dtype), tensor.elements, offset)
    if tensor.dtype == "bool" and (raw.view(np.uint8) > 1).any():
        raise ValueError(f"constant {tensor.name!r} holds a truth value that is neither 0 nor 1")
    array = raw.astype(tensor.dtype).reshape(tensor.shape)
    array.setflags(write=False)
    return array


def _node(entry: dict[str, Any], known: dict[str, type[Op]]) -> Node:
    name = _typed(entry["op"], str)
    if name not in known:
        raise ValueError(f"it uses the unknown operator {name[:40]!r}")
    op = _rebuild(known[name], entry["fields"])
    return Node(op, _names(entry["inputs"]), _names(entry["outputs"]))


def _port(entry: Any) -> Port:
    port: Port = _rebuild(Port, entry)
    if sorted(port.axes) != list(range(len(port.axes))):
        raise ValueError(f"port axes {port.axes} are no permutation")
    return port


def _rebuild(kind: type[Any], entry: Any) -> Any:
    """Make a dataclass from its fields after checking each against its annotation."""
    values = {name: _decode(value) for name, value in _dict(entry).items()}
    hints = typing.get_type_hints(kind)
    expected = {field.name for field in fields(kind)} if is_dataclass(kind) else set()
    for name, value in values.items():
        if name not in expected or not _fits(value, hints[name]):
            raise TypeError(f"{kind.__name__} has no field {name[:40]} = {str(value)[:40]}")
    return kind(**values)


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is of an annotated type; ``float`` also takes integers."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        return type(value) is tuple and _fits_tuple(value, arguments)
    if origin is typing.Literal:
        return value in arguments
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, argument) for argument in arguments)
    if hint is float:
        return type(value) in (float, int)
    return hint in (int, str, bool, type(None)) and type(value) is hint


def _fits_tuple(value: Sequence[Any], arguments: tuple[Any, ...]) -> bool:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return all(_fits(item, arguments[0]) for item in value)
    return len(value) == len(arguments) and all(map(_fits, value, arguments))
