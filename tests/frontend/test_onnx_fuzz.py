"""Damaged ONNX files: a graph or one clear error, quickly."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx_models import model, node
from onnx_models import random as normal
from test_onnx_import import conv_net
from test_onnx_quantized import chain

from netsuke.errors import ModelError, NetsukeError, UnsupportedOperatorError
from netsuke.frontend.onnx import load_onnx

MUTANTS = 1200
SLOWEST = 3.0  # seconds for one file, on a busy machine


def recurrent() -> Any:
    """An LSTM behind a transposition, and a slice of its last step."""
    weights = {"w": normal(1, 16, 3), "r": normal(1, 16, 4), "b": normal(1, 32)}
    cut = {"first": np.array([-1]), "last": np.array([1 << 60]), "axis": np.array([0])}
    nodes = [
        node("Transpose", "x", "t", perm=[1, 0, 2]),
        node("LSTM", "t w r b", "all h c", hidden_size=4),
        node("Slice", "all first last axis", "y"),
    ]
    return model(nodes, {"x": ["batch", 5, 3]}, ["y"], weights | cut)


def resampling() -> Any:
    """Resizing, padding, splitting, joining, and normalizing."""
    constants = {
        "scales": np.array([1, 1, 2, 2], np.float32), "pads": np.array([0, 0, 1, 0, 0, 0, 0, 2]),
        "s": normal(4), "o": normal(4), "m": normal(4), "v": np.abs(normal(4)),
    }  # fmt: skip
    nodes = [
        node("Resize", "x - scales", "r", mode="linear"),
        node("Pad", "r pads", "p", mode="reflect"),
        node("BatchNormalization", "p s o m v", "n"),
        node("Split", "n", "a b", axis=1),
        node("Concat", "b a", "j", axis=1),
        node("ReduceMean", "j", "y", axes=[2, 3], keepdims=0),
    ]
    return model(nodes, {"x": [1, 4, 3, 3]}, ["y"], constants)


def integers() -> Any:
    """A quantized convolution."""
    constants = {
        "w": np.arange(27, dtype=np.int8).reshape(1, 3, 3, 3), "w.s": np.float32([0.1]),
        "w.z": np.int8([0]),
    }  # fmt: skip
    nodes = [
        node("DequantizeLinear", "w w.s w.z", "w.q", axis=0),
        node("Conv", "x.q w.q", "y", auto_pad="SAME_LOWER"),
    ]
    return chain(nodes, constants, [1, 3, 6, 6])


ORIGINALS: tuple[Callable[[], Any], ...] = (conv_net, recurrent, resampling, integers)


def damage_bytes(rng: random.Random, file: Any) -> bytes:
    """Flip, insert, drop or overwrite bytes of the file."""
    data = bytearray(file.SerializeToString())
    for _ in range(rng.choice((1, 1, 2, 4))):
        place = rng.randrange(len(data))
        match rng.randrange(5):
            case 0 | 1:
                data[place] ^= 1 << rng.randrange(8)
            case 2:
                data[place : place + 4] = rng.randbytes(4)
            case 3:
                data[place:place] = rng.randbytes(rng.randint(1, 8))
            case _:
                del data[place : place + rng.randint(1, 8)]
    if rng.random() < 0.1:
        del data[rng.randrange(len(data)) :]
    return bytes(data)


NUMBERS = (-(1 << 63), -(1 << 31), -2, -1, 0, 1, 2, 3, 7, 1 << 20, 1 << 31, (1 << 62) + 1)


def contradict(rng: random.Random, file: Any) -> bytes:
    """A well-formed file whose parts do not agree."""
    graph = file.graph
    for _ in range(rng.choice((1, 1, 2, 3))):
        entry, tensor = rng.choice(graph.node), rng.choice(graph.initializer)
        names = [name for e in graph.node for name in (*e.input, *e.output)]
        match rng.randrange(9):
            case 0 if entry.input:
                entry.input[rng.randrange(len(entry.input))] = rng.choice([*names, ""])
            case 1 if len(entry.input) > 1:
                del entry.input[rng.randrange(len(entry.input))]
            case 2 if entry.attribute:
                _change(rng, rng.choice(entry.attribute))
            case 3 if tensor.dims:
                tensor.dims[rng.randrange(len(tensor.dims))] = rng.choice(NUMBERS)
            case 4:
                tensor.data_type = rng.randrange(24)
            case 5 if tensor.raw_data:
                raw = bytearray(tensor.raw_data)
                width = 8 if tensor.data_type == 7 else 4
                number = rng.choice(NUMBERS) % (1 << 8 * width)
                raw[:width] = number.to_bytes(width, "little")
                tensor.raw_data = bytes(raw)
            case 6:
                dims = graph.input[0].type.tensor_type.shape.dim
                dims[rng.randrange(len(dims))].dim_value = rng.choice(NUMBERS)
            case 7:
                entry.op_type = rng.choice([e.op_type for e in graph.node] + KINDS)
            case _:
                file.opset_import[0].version = rng.randrange(5, 27)
    return bytes(file.SerializeToString())


KINDS = [
    *("Conv", "MatMul", "Flatten", "Expand", "Tile", "Gather", "Softmax", "LayerNormalization"),
    *("Max", "Range", "Cast"),
]


def _change(rng: random.Random, attribute: Any) -> None:
    """Another value, or another type, of an attribute."""
    name = attribute.name
    value = rng.choice(
        [rng.choice(NUMBERS), [rng.choice(NUMBERS) for _ in range(rng.randint(0, 5))], 0.5, "odd"]
    )
    if value == []:
        del attribute.ints[:]
        return
    attribute.CopyFrom(helper.make_attribute(name, value))


@pytest.mark.parametrize("damage", [damage_bytes, contradict])
def test_damaged_files_give_a_graph_or_one_clear_error(damage: Callable[..., bytes]) -> None:
    outcomes: Counter[str] = Counter()
    for number in range(MUTANTS // 2):
        rng = random.Random(f"{damage.__name__}/{number}")
        data = damage(rng, ORIGINALS[number % len(ORIGINALS)]())
        start = time.perf_counter()
        try:
            load_onnx(data)
            outcomes["graph"] += 1
        except (ModelError, UnsupportedOperatorError) as error:
            outcomes[type(error).__name__] += 1
            assert str(error).startswith("ONNX model"), (number, str(error))
        except NetsukeError as error:
            pytest.fail(f"mutant {number}: {type(error).__name__} {error}")
        assert time.perf_counter() - start < SLOWEST, number
    assert min(outcomes["ModelError"], outcomes["graph"]) > 20, outcomes
    assert outcomes["UnsupportedOperatorError"] > 0, outcomes


def test_a_protobuf_that_nests_without_end_is_refused() -> None:
    data = b""
    for _ in range(5000):  # a graph in an attribute of a node in a graph ...
        data = b"\x2a" + _length(data) + data
    with pytest.raises(ModelError):
        load_onnx(b"\x3a" + _length(data) + data)


def _length(data: bytes) -> bytes:
    """A protobuf's variable-length number."""
    number, encoded = len(data), bytearray()
    while number > 127:
        encoded.append(number & 127 | 128)
        number >>= 7
    return bytes([*encoded, number])


def test_a_million_empty_nodes_are_refused() -> None:
    file = model([node("Relu", "x", "y")], {"x": [1, 2]}, ["y"])
    empty = onnx.NodeProto(op_type="Relu", input=["y"], output=["z"])
    file.graph.node.extend([empty] * 150_000)
    with pytest.raises(ModelError, match="nodes"):
        load_onnx(file.SerializeToString())
