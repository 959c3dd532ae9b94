"""Hostile models: small files that describe too much, or contradict themselves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from tflite_models import Model

BOMBS: dict[str, Callable[[], bytes]] = {}


def bomb(make: Callable[[], bytes]) -> Callable[[], bytes]:
    BOMBS[make.__name__.replace("_", " ")] = make
    return make


@bomb
def an_activation_of_2_to_the_93_elements() -> bytes:
    model = Model()
    x, y = model.tensor([2**31 - 1] * 3), model.tensor([2**31 - 1] * 3)
    model.op("RELU", [x], [y])
    return model.bytes([x], [y])


@bomb
def a_constant_that_is_larger_than_its_buffer() -> bytes:
    model = Model()
    x = model.tensor((1, 4))
    y = model.tensor((1, 4), data=np.zeros(2, np.float32))
    z = model.tensor((1, 4))
    model.op("ADD", [x, y], [z], "AddOptions")
    return model.bytes([x], [z])


@bomb
def weights_with_an_extent_of_zero() -> bytes:
    model = Model()
    x, y = model.tensor((1, 4)), model.tensor(())
    w = model.tensor((2**30, 0))
    model.op("FULLY_CONNECTED", [x, w, -1], [y], "FullyConnectedOptions")
    return model.bytes([x], [y])


@bomb
def one_large_buffer_under_ten_thousand_names() -> bytes:
    model = Model()
    x = model.tensor((1, 65536))
    w = model.constant(np.zeros((1, 65536), np.float16), "float16")
    buffer = model.graph.tensors[w].buffer
    for number in range(10_000):
        half = model.tensor((1, 65536), "float16", name=f"h{number}")
        model.graph.tensors[half].buffer = buffer
        y, z = model.tensor(()), model.tensor(())
        model.op("DEQUANTIZE", [half], [y])
        model.op("ADD", [x, y], [z], "AddOptions")
        x = z
        model.model.operatorCodes = model.model.operatorCodes[:2]
        model.graph.operators[-2].opcodeIndex, model.graph.operators[-1].opcodeIndex = 0, 1
    return model.bytes([0], [x])


@bomb
def a_value_that_depends_on_itself() -> bytes:
    model = Model()
    x, y, z = (model.tensor((1, 4)) for _ in range(3))
    model.op("ADD", [x, z], [y], "AddOptions")
    model.op("RELU", [y], [z])
    return model.bytes([x], [z])


@bomb
def a_value_that_is_computed_twice() -> bytes:
    model = Model()
    x, y = (model.tensor((1, 4)) for _ in range(2))
    model.op("RELU", [x], [y])
    model.op("RELU6", [x], [y])
    return model.bytes([x], [y])


@bomb
def an_operator_that_writes_into_the_input() -> bytes:
    model = Model()
    x = model.tensor((1, 4))
    model.op("RELU", [x], [x])
    return model.bytes([x], [x])


@bomb
def a_weight_that_is_not_a_number() -> bytes:
    model = Model()
    x, y = model.tensor((1, 2)), model.tensor(())
    w = model.constant(np.array([[1.0, np.nan]], np.float32), "float32")
    model.op("FULLY_CONNECTED", [x, w, -1], [y], "FullyConnectedOptions")
    return model.bytes([x], [y])


@bomb
def a_scale_of_zero() -> bytes:
    model = Model()
    x, y = (model.tensor((1, 4), "int8", (0.0, 0)) for _ in range(2))
    model.op("RELU", [x], [y])
    return model.bytes([x], [y])


@bomb
def a_scale_that_is_not_a_number() -> bytes:
    model = Model()
    x, y = (model.tensor((1, 4), "int8", (np.nan, 0)) for _ in range(2))
    model.op("RELU", [x], [y])
    return model.bytes([x], [y])


@bomb
def a_zero_point_beyond_its_type() -> bytes:
    model = Model()
    x, y = (model.tensor((1, 4), "int8", (0.1, 1 << 40)) for _ in range(2))
    model.op("RELU", [x], [y])
    return model.bytes([x], [y])


@bomb
def a_stride_of_zero() -> bytes:
    model = Model()
    x, y = model.tensor((1, 4, 4, 1)), model.tensor(())
    model.op("MAX_POOL_2D", [x], [y], "Pool2DOptions", filterHeight=2, filterWidth=2)
    return model.bytes([x], [y])


@bomb
def a_window_of_a_gigapixel() -> bytes:
    model = Model()
    x, y = model.tensor((1, 60000, 30000, 1)), model.tensor(())
    model.op("AVERAGE_POOL_2D", [x], [y], "Pool2DOptions", filterHeight=60000, filterWidth=60000,
             strideH=1, strideW=1)  # fmt: skip
    return model.bytes([x], [y])


@bomb
def a_dilation_of_two_billion() -> bytes:
    model = Model()
    x, y = model.tensor((1, 4, 4, 1)), model.tensor(())
    w = model.constant(np.zeros((1, 3, 3, 1), np.float32), "float32")
    model.op("CONV_2D", [x, w, -1], [y], "Conv2DOptions", strideH=1, strideW=1,
             dilationHFactor=2**31 - 1)  # fmt: skip
    return model.bytes([x], [y])


@bomb
def a_padding_of_a_billion() -> bytes:
    model = Model()
    x, y = model.tensor((1, 4, 4, 1)), model.tensor(())
    pads = model.constant([[0, 0], [2**30, 2**30], [2**30, 2**30], [0, 0]])
    model.op("PAD", [x, pads], [y], "PadOptions")
    return model.bytes([x], [y])


@bomb
def a_broadcast_of_two_vectors_into_an_ocean() -> bytes:
    model = Model()
    x = model.tensor((1, 1 << 20, 1))
    w = model.constant(np.ones((1, 1, 1 << 14), np.float32), "float32")
    y = model.tensor(())
    model.op("MUL", [x, w], [y], "MulOptions")
    return model.bytes([x], [y])


@bomb
def a_thousand_names_that_are_the_same() -> bytes:
    model = Model()
    tensors = [model.tensor((1, 4), name="x") for _ in range(2000)]
    model.op("RELU", [tensors[0]], [tensors[1]])
    return model.bytes([tensors[0]], [tensors[2]])


@bomb
def no_output() -> bytes:
    model = Model()
    x, y = model.tensor((1, 4)), model.tensor((1, 4))
    model.op("RELU", [x], [y])
    return model.bytes([x], [])


@bomb
def a_gather_beyond_the_end() -> bytes:
    model = Model()
    x, y = model.tensor((1, 4)), model.tensor(())
    model.op("GATHER", [x, model.constant([2**31 - 1])], [y], "GatherOptions", axis=1)
    return model.bytes([x], [y])


@bomb
def a_split_into_a_billion_parts() -> bytes:
    model = Model()
    x, y = model.tensor((1, 1 << 30)), model.tensor(())
    model.op("SPLIT", [model.constant(1), x], [y], "SplitOptions", numSplits=1 << 30)
    return model.bytes([x], [y])


@bomb
def a_table_whose_elements_overlap() -> bytes:
    """Every entry of the vector of tensors is the same table with the same long name."""
    model = Model()
    x = model.tensor((1, 4), name="n" * 60_000)
    y = model.tensor((1, 4))
    for _ in range(5_000):
        model.tensor((1, 4), name="s")
    model.op("RELU", [x], [y])
    data = bytearray(model.bytes([x], [y]))
    return _alias_names(data)


def _alias_names(data: bytearray) -> bytes:
    """Point every entry of the longest vector of references at its first target."""
    start, count = _longest_references(data)
    first = start + int.from_bytes(data[start : start + 4], "little")
    for number in range(count):
        place = start + 4 * number
        if first > place:
            data[place : place + 4] = (first - place).to_bytes(4, "little")
    return bytes(data)


def _longest_references(data: bytearray) -> tuple[int, int]:
    from tflite_models import schema

    model = schema.Model.GetRootAs(data, 0)
    tab = model.Subgraphs(0)._tab
    offset = tab.Offset(4)
    return tab.Vector(offset), tab.VectorLen(offset)
