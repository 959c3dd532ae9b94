"""What files do besides single operators: batches, folded shapes, old and large formats."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tflite_models import LiteRT, Model, differences, run_graph, schema

from netsuke.errors import ModelError, UnsupportedOperatorError, UsageError
from netsuke.frontend import load
from netsuke.frontend.tflite import parse_tflite
from netsuke.ir import Port

RANDOM = np.random.default_rng(0)


def weights(*shape: int) -> np.ndarray:
    return RANDOM.standard_normal(shape).astype(np.float32)


def chain(*kinds: str, shape: tuple[int, ...] = (1, 4)) -> bytes:
    """Operators of one operand without options, one behind the other."""
    model = Model()
    numbers = [model.tensor(shape) for _ in range(len(kinds) + 1)]
    for kind, x, y in zip(kinds, numbers[:-1], numbers[1:], strict=True):
        model.op(kind, [x], [y])
    return model.bytes(numbers[:1], numbers[-1:])


# Operators that are refused


def test_all_unsupported_operators_are_named_at_once() -> None:
    with pytest.raises(UnsupportedOperatorError) as caught:
        parse_tflite(chain("SIN", "RELU", "COS", "FLOOR", "RELU6"), place="wave.tflite")
    assert [(kind, node) for kind, node, _ in caught.value.operators] == [
        ("SIN", "t1"),
        ("COS", "t3"),
        ("FLOOR", "t4"),
    ]
    assert str(caught.value).startswith("wave.tflite: 3 node(s)")


def test_an_unsupported_use_behind_an_unsupported_operator_is_found_too() -> None:
    model = Model()
    x, y, z = model.tensor((1, 4)), model.tensor((1, 4)), model.tensor((1,))
    model.op("SIN", [x], [y])
    model.op("MEAN", [y, model.constant([0])], [z], "ReducerOptions")
    with pytest.raises(UnsupportedOperatorError) as caught:
        parse_tflite(model.bytes([x], [z]))
    assert [(kind, why) for kind, _, why in caught.value.operators][1] == (
        "MEAN",
        "works across the batch",
    )


def test_a_custom_operator_is_called_by_its_name() -> None:
    model = Model()
    x, y = model.tensor((1, 4)), model.tensor((1, 4))
    model.op("CUSTOM", [x], [y])
    model.model.operatorCodes[0].customCode = "TFLite_Detection_PostProcess"
    with pytest.raises(UnsupportedOperatorError, match="TFLite_Detection_PostProcess at node 't1'"):
        parse_tflite(model.bytes([x], [y]))


def test_only_the_main_subgraph_is_read_and_calls_of_others_are_refused() -> None:
    model = Model()
    x, y = model.tensor((1, 4)), model.tensor((1, 4))
    model.op("RELU", [x], [y])
    other = schema.SubGraphT()
    other.tensors, other.operators, other.inputs, other.outputs = [], [], [5], [7]
    model.model.subgraphs.append(other)
    assert [node.op.kind for node in parse_tflite(model.bytes([x], [y])).nodes] == ["clamp"]
    model.op("WHILE", [y], [z := model.tensor((1, 4))])
    with pytest.raises(UnsupportedOperatorError, match="WHILE"):
        parse_tflite(model.bytes([x], [z]))


def _mean_over_the_batch(model: Model, x: int, y: int) -> None:
    model.op("MEAN", [x, model.constant([0, 1])], [y], "ReducerOptions", keepDims=True)


def _concat_along_the_batch(model: Model, x: int, y: int) -> None:
    model.op("CONCATENATION", [x, x], [y], "ConcatenationOptions", axis=0)


def _slice_of_the_batch(model: Model, x: int, y: int) -> None:
    begin, size = model.constant([0, 0]), model.constant([0, 4])
    model.op("SLICE", [x, begin, size], [y])


def _softmax_over_the_batch(model: Model, x: int, y: int) -> None:
    z = model.tensor(())
    model.op("TRANSPOSE", [x, model.constant([1, 0])], [z])
    model.op("SOFTMAX", [z], [y], "SoftmaxOptions", beta=1.0)


def _pack_of_int16(model: Model, x: int, y: int) -> None:
    model.graph.tensors[x].type = 7
    model.op("RELU", [x], [y])


def _computed_weights(model: Model, x: int, y: int) -> None:
    model.op("FULLY_CONNECTED", [x, x, -1], [y], "FullyConnectedOptions")


@pytest.mark.parametrize(
    ("build", "why"),
    [
        (_mean_over_the_batch, "works across the batch"),
        (_concat_along_the_batch, "works across the batch"),
        (_slice_of_the_batch, "works across the batch"),
        (_softmax_over_the_batch, "works across the batch"),
        (_pack_of_int16, "is int16"),
        (_computed_weights, "which is computed while it runs"),
    ],
)
def test_a_use_that_cannot_be_imported_says_why(
    build: Callable[[Model, int, int], None], why: str
) -> None:
    model = Model()
    x, y = model.tensor((1, 4)), model.tensor(())
    build(model, x, y)
    with pytest.raises(UnsupportedOperatorError, match=why):
        parse_tflite(model.bytes([x], [y]))


# Batches


def test_a_batch_that_is_not_fixed_is_left_out() -> None:
    model = Model()
    x = model.tensor((1, 6), shapeSignature=[-1, 6])
    y = model.tensor((1, 3), shapeSignature=[-1, 3])
    w = model.constant(weights(3, 6), "float32")
    model.op("FULLY_CONNECTED", [x, w, -1], [y], "FullyConnectedOptions")
    graph = parse_tflite(model.bytes([x], [y]))
    assert graph.tensors["t0"].shape == (6,)
    assert graph.tensors["t1"].shape == (3,)


def test_an_image_of_no_fixed_size_is_refused() -> None:
    model = Model()
    x = model.tensor((1, 1, 1, 3), shapeSignature=[-1, -1, -1, 3])
    y = model.tensor((1, 1, 1, 3))
    model.op("RELU", [x], [y])
    with pytest.raises(ModelError, match=r"axes \[1, 2\] are not fixed"):
        parse_tflite(model.bytes([x], [y]))


def test_a_fixed_batch_is_a_batch_where_an_operator_needs_one() -> None:
    model = Model()
    x, y = model.tensor((8, 6, 6, 2)), model.tensor((8, 6, 6, 3))
    w = model.constant(weights(3, 3, 3, 2), "float32")
    b = model.constant(weights(3), "float32")
    model.op("CONV_2D", [x, w, b], [y], "Conv2DOptions", strideH=1, strideW=1)
    data = model.bytes([x], [y])
    graph = parse_tflite(data)
    assert graph.tensors["t0"].shape == (6, 6, 2)
    oracle = LiteRT(data)
    feeds = oracle.random(np.random.default_rng(1))
    expected = oracle.run(feeds)[0]
    for sample, theirs in zip(feeds[0], expected, strict=True):
        assert np.abs(run_graph(graph, [sample])[0] - theirs).max() < 1e-4


def test_a_first_axis_that_is_no_batch_stays() -> None:
    model = Model()
    x, y = model.tensor((49, 40)), model.tensor((40,))
    model.op("MEAN", [x, model.constant([0])], [y], "ReducerOptions")
    graph = parse_tflite(model.bytes([x], [y]))
    assert graph.tensors["t0"].shape == (49, 40)
    assert differences(model.bytes([x], [y])) < 1e-5


# Formats


def test_an_unsigned_model_shows_unsigned_ports() -> None:
    model = Model()
    x = model.tensor((1, 2, 3), "uint8", (0.5, 128))
    y = model.tensor((1, 2, 3), "uint8", (0.5, 128))
    model.op("RELU", [x], [y], version=2)
    graph = parse_tflite(model.bytes([x], [y]))
    assert graph.tensors["t0"].dtype == "int8"
    assert graph.tensors["t0"].quant is not None
    assert graph.tensors["t0"].quant.zero_point == (0,)
    assert graph.ports == {"t0": Port((0, 1), "uint8"), "t1": Port((0, 1), "uint8")}


def test_half_precision_weights_are_widened() -> None:
    model = Model()
    x, y = model.tensor((1, 6)), model.tensor((1, 3))
    half = model.constant(weights(3, 6).astype(np.float16), "float16")
    real = model.tensor((3, 6))
    model.op("DEQUANTIZE", [half], [real])
    model.op("FULLY_CONNECTED", [x, real, -1], [y], "FullyConnectedOptions")
    data = model.bytes([x], [y])
    assert [node.op.kind for node in parse_tflite(data).nodes] == ["dense"]
    assert differences(data) < 1e-4


def test_integer_weights_behind_a_dequantize_are_widened() -> None:
    model = Model()
    x, y = model.tensor((1, 6)), model.tensor((1, 3))
    stored = model.constant(
        np.arange(18).reshape(3, 6) - 9, "int8", ([0.1, 0.2, 0.3], [0, 0, 0], 0)
    )
    real = model.tensor((3, 6))
    model.op("DEQUANTIZE", [stored], [real], version=5)
    model.op("FULLY_CONNECTED", [x, real, -1], [y], "FullyConnectedOptions")
    graph = parse_tflite(model.bytes([x], [y]))
    array = graph.tensors["t3"].data
    assert array is not None
    assert array[2].tolist() == pytest.approx([0.9, 1.2, 1.5, 1.8, 2.1, 2.4])


def test_weights_of_four_bits_are_unpacked() -> None:
    model = Model()
    x = model.tensor((1, 4), "int8", (0.1, 0))
    y = model.tensor((1, 2), "int8", (0.1, 0))
    packed = model.tensor((2, 4), "int4", (0.1, 0), data=[0x21, 0xF8, 0x70, 0x0E])
    model.op("FULLY_CONNECTED", [x, packed, -1], [y], "FullyConnectedOptions", version=7)
    graph = parse_tflite(model.bytes([x], [y]))
    array = graph.tensors["t2"].data
    assert array is not None
    assert array.tolist() == [[1, 2, -8, -1], [0, 7, -2, 0]]
    assert array.dtype == np.int8


def test_weights_behind_the_tables_of_a_large_file_are_found() -> None:
    model = Model()
    x, y, z = model.tensor((1, 4)), model.tensor((1, 4)), model.tensor((1, 4))
    model.op("ADD", [x, y], [z], "AddOptions")
    buffer = model.model.buffers[model.graph.tensors[y].buffer]
    buffer.offset, buffer.size = 2, 16
    data = model.bytes([x], [z])
    behind = np.array([1.0, 2.0, 3.0, 4.0], np.float32).tobytes()
    buffer.offset = len(data)
    data = model.bytes([x], [z]) + behind
    graph = parse_tflite(data)
    array = graph.tensors[graph.nodes[0].inputs[1]].data
    assert array is not None
    assert array.tolist() == [1.0, 2.0, 3.0, 4.0]
    with pytest.raises(ModelError, match="truncated"):
        parse_tflite(data[:-1])


def test_an_old_file_that_has_only_the_old_operator_codes_is_read() -> None:
    model = Model()
    x, y = model.tensor((1, 4)), model.tensor((1, 4))
    model.op("RELU", [x], [y])
    code = model.model.operatorCodes[0]
    code.deprecatedBuiltinCode, code.builtinCode = code.builtinCode, 0
    assert parse_tflite(model.bytes([x], [y])).nodes[0].op.kind == "clamp"


def test_another_version_of_the_schema_is_refused() -> None:
    model = Model()
    x, y = model.tensor((1, 4)), model.tensor((1, 4))
    model.op("RELU", [x], [y])
    model.model.version = 2
    with pytest.raises(ModelError, match="schema version 2"):
        parse_tflite(model.bytes([x], [y]))


# Shapes that are computed


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_a_reshape_to_a_computed_shape_is_a_reshape(dtype: str) -> None:
    """How exporters flatten a batch that is not fixed: SHAPE, STRIDED_SLICE, PACK, RESHAPE."""
    quant = (0.1, 3) if dtype == "int8" else None
    model = Model()
    x = model.tensor((1, 4, 5, 2), dtype, quant, shapeSignature=[-1, 4, 5, 2])
    whole, first = model.tensor((4,), "int32"), model.tensor((), "int32")
    model.op("SHAPE", [x], [whole], "ShapeOptions", outType=2)
    bounds = [model.constant([n]) for n in (0, 1, 1)]
    model.op("STRIDED_SLICE", [whole, *bounds], [first], "StridedSliceOptions", shrinkAxisMask=1)
    target = model.tensor((2,), "int32")
    model.op("PACK", [first, model.constant(40)], [target], "PackOptions", valuesCount=2)
    y = model.tensor((1, 40), dtype, quant, shapeSignature=[-1, 40])
    model.op("RESHAPE", [x, target], [y], "ReshapeOptions")
    data = model.bytes([x], [y])
    graph = parse_tflite(data)
    assert [node.op.kind for node in graph.nodes] == ["reshape"]
    assert graph.tensors[graph.outputs[0]].shape == (40,)
    assert differences(data) == 0


def test_arithmetic_on_shapes_is_done_while_reading() -> None:
    model = Model()
    x = model.tensor((1, 6, 4))
    shape, head, tail = (model.tensor((), "int32") for _ in range(3))
    model.op("SHAPE", [x], [shape], "ShapeOptions", outType=2)
    model.op("GATHER", [shape, model.constant([1])], [head], "GatherOptions")
    model.op("MUL", [head, model.constant([2])], [tail], "MulOptions")
    target, y = model.tensor((), "int32"), model.tensor(())
    one, rest = model.constant([1]), model.constant([-1])
    model.op("CONCATENATION", [one, tail, rest], [target], "ConcatenationOptions")
    model.op("RESHAPE", [x, target], [y], "ReshapeOptions")
    data = model.bytes([x], [y])
    assert parse_tflite(data).nodes[0].op.shape == (12, 2)  # type: ignore[attr-defined]
    assert differences(data) == 0


def test_a_cast_to_the_same_type_vanishes() -> None:
    model = Model()
    x, y, z = (model.tensor((1, 4)) for _ in range(3))
    model.op("CAST", [x], [y], "CastOptions")
    model.op("RELU", [y], [z])
    assert [node.op.kind for node in parse_tflite(model.bytes([x], [z])).nodes] == ["clamp"]


def test_a_constant_may_be_used_in_several_shapes() -> None:
    model = Model()
    x, y, z = model.tensor((1, 4)), model.tensor((1, 4)), model.tensor((1, 4))
    w, u = model.constant(weights(1, 4), "float32"), model.tensor((4,))
    model.op("ADD", [x, w], [y], "AddOptions")
    model.op("RESHAPE", [y, model.constant([4])], [u])
    model.op("MUL", [u, w], [z], "MulOptions")
    data = model.bytes([x], [z])
    assert differences(data) < 1e-6
    kept = [tensor.name for tensor in parse_tflite(data).constants()]
    assert len(kept) == len(set(kept)) <= 2


# Dilated convolutions that were taken apart


def _spread(dtype: str, kind: str, pads: list[list[int]], crops: list[list[int]]) -> bytes:
    model = Model()
    quant, out = ((0.05, -10), (0.4, 3)) if dtype == "int8" else (None, None)
    x = model.tensor((1, 9, 10, 2), dtype, quant)
    spread, inner = model.tensor((), dtype, quant), model.tensor((), dtype, out)
    y = model.tensor((), dtype, out)
    shape = (3, 3, 3, 2) if kind == "CONV_2D" else (1, 3, 3, 2)
    units = 3 if kind == "CONV_2D" else 2
    if dtype == "int8":
        array = RANDOM.integers(-127, 128, shape)
        w = model.constant(array, "int8", ([0.01] * units, [0] * units, 0 if units == 3 else 3))
        b = model.constant(RANDOM.integers(-500, 500, units), "int32", (5e-4, 0))
    else:
        w = model.constant(weights(*shape), "float32")
        b = model.constant(weights(units), "float32")
    block = model.constant([2, 3])
    model.op("SPACE_TO_BATCH_ND", [x, block, model.constant(pads)], [spread], version=2)
    options = {"CONV_2D": "Conv2DOptions"}.get(kind, "DepthwiseConv2DOptions")
    extra = {"depthMultiplier": 1} if units == 2 else {}
    model.op(kind, [spread, w, b], [inner], options, 3, padding=1, strideH=1, strideW=1,
             fusedActivationFunction=1, **extra)  # fmt: skip
    model.op("BATCH_TO_SPACE_ND", [inner, block, model.constant(crops)], [y], version=2)
    return model.bytes([x], [y])


@pytest.mark.parametrize("dtype", ["float32", "int8"])
@pytest.mark.parametrize("kind", ["CONV_2D", "DEPTHWISE_CONV_2D"])
def test_a_dilated_convolution_in_three_parts_is_one(dtype: str, kind: str) -> None:
    data = _spread(dtype, kind, [[2, 3], [3, 5]], [[0, 1], [0, 2]])
    graph = parse_tflite(data)
    assert len(graph.nodes) == 1
    assert graph.nodes[0].op.dilation == (2, 3)  # type: ignore[attr-defined]
    assert graph.nodes[0].op.padding == ((2, 2), (3, 3))  # type: ignore[attr-defined]
    assert differences(data) <= (1e-4 if dtype == "float32" else 0)


def test_a_batch_in_space_that_is_no_convolution_is_refused() -> None:
    model = Model()
    x, y = model.tensor((1, 4, 4, 1)), model.tensor((4, 2, 2, 1))
    model.op("SPACE_TO_BATCH_ND", [x, model.constant([2, 2]), model.constant([[0, 0], [0, 0]])],
             [y])  # fmt: skip
    with pytest.raises(UnsupportedOperatorError, match="SPACE_TO_BATCH_ND"):
        parse_tflite(model.bytes([x], [y]))


# Whatever stands in for a model


def test_names_that_repeat_are_told_apart() -> None:
    model = Model()
    x, y, z = (model.tensor((1, 4), name="x") for _ in range(3))
    model.op("RELU", [x], [y])
    model.op("RELU6", [y], [z])
    graph = parse_tflite(model.bytes([x], [z]))
    assert [*graph.inputs, *(node.name for node in graph.nodes)] == ["x", "x_1", "x_2"]


def test_a_shape_that_its_operator_does_not_make_is_refused() -> None:
    model = Model()
    x, y = model.tensor((1, 4)), model.tensor((1, 5))
    model.op("RELU", [x], [y])
    with pytest.raises(ModelError, match=r"declared \[1, 5\], but its operator makes \[1, 4\]"):
        parse_tflite(model.bytes([x], [y]))


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("missing.tflite", None, "does not exist"),
        ("empty.tflite", b"", "is empty"),
        ("text.tflite", b"this is a text, not a model", "do not read TFL3"),
        ("short.tflite", b"\x1c\x00\x00\x00TFL3", "truncated"),
        ("model.h5", b"x", "has the suffix '.h5'"),
        ("model", b"x", "has no suffix"),
    ],
)
def test_what_is_no_model_file_gets_a_clear_error(
    tmp_path: Path, name: str, content: bytes | None, problem: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=problem) as caught:
        load(path)
    assert str(path) in str(caught.value)


def test_a_folder_is_no_model_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is a folder"):
        load(tmp_path)


def test_an_object_that_is_no_model_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot read a dict"):
        load({"layers": []})


def test_a_file_is_loaded_by_its_suffix_and_named_by_its_stem(tmp_path: Path) -> None:
    path = tmp_path / "small.TFLITE"
    path.write_bytes(chain("RELU"))
    assert load(str(path)).name == "small"
