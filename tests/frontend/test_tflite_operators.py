"""Each converter beside LiteRT: integers byte for byte, reals within 1e-4."""

from __future__ import annotations

import re

import numpy as np
import pytest
from tflite_cases import CASES, binary
from tflite_models import LiteRT, Model, differences, run_graph, schema, stored

from netsuke.frontend.tflite import parse_tflite, supported_operators
from netsuke.frontend.tflite.flatbuffer import Layout
from netsuke.frontend.tflite.operators import (
    convolution,
    cutting,
    dense,
    pooling,
    rearranging,
    shape,
)
from netsuke.frontend.tflite.operators.activation import GELU, LEAKY_RELU, SOFTMAX
from netsuke.frontend.tflite.operators.recurrent import UNIDIRECTIONAL_SEQUENCE_LSTM
from netsuke.frontend.tflite.operators.reduction import REDUCER
from netsuke.frontend.tflite.operators.strides import STRIDED_SLICE
from netsuke.frontend.tflite.schema import BUILTINS

TIES = "LiteRT rounds ties up in blocks of 8 channels, away from zero in those that remain"
ONCE = "LiteRT's vector code scales operands in one rounding, its scalar code and ours in two"
UNSIGNED = "LiteRT rounds unsigned integers in another way than signed ones"
KNOWN = {
    **{f"TRANSPOSE_CONV-int8-{kind}": TIES for kind in ("same", "valid", "wide")},
    "ADD-int8-scalar": ONCE,
    "ADD-uint8-two": ONCE,
    "ADD-uint8-scalar": ONCE,
    **{f"AVERAGE_POOL_2D-uint8-{kind}": UNSIGNED for kind in ("same", "valid")},
    **{
        f"RESIZE_BILINEAR-uint8-{kind}": UNSIGNED
        for kind in ("False-False", "True-False", "False-True")
    },
}
"""Cases in which an integer may be one step from LiteRT's, and why."""


@pytest.mark.parametrize("name", CASES)
def test_an_operator_computes_what_litert_computes(name: str) -> None:
    data = CASES[name]()
    graph, oracle = parse_tflite(data), LiteRT(data)
    expected = oracle.run(oracle.random(np.random.default_rng(0)))
    for name_of_ours, theirs in zip(graph.outputs, expected, strict=True):
        shape = theirs.shape
        without_one = [shape[:axis] + shape[axis + 1 :] for axis in range(len(shape))]
        assert graph.tensors[name_of_ours].shape in (shape, *without_one)
    real = "float32" in name or name.startswith("DEQUANTIZE")
    assert differences(data, 5) <= (1e-4 if real else 1.0 if name in KNOWN else 0.0)


@pytest.mark.parametrize("name", KNOWN)
def test_known_differences_are_rare_and_one_step(name: str) -> None:
    data = CASES[name]()
    graph, oracle = parse_tflite(data), LiteRT(data)
    generator = np.random.default_rng(0)
    gaps = []
    for _ in range(20):
        feeds = oracle.random(generator)
        for output, ours, theirs in zip(
            graph.outputs, run_graph(graph, feeds), oracle.run(feeds), strict=True
        ):
            gaps.append(np.abs(ours.astype(int) - stored(graph, output, theirs)).ravel())
    every = np.concatenate(gaps)
    assert every.max() == 1, "no difference is left: take the case off the list"
    assert every.mean() < (0.15 if KNOWN[name] is UNSIGNED else 0.03)


@pytest.mark.parametrize("shape", [(), (3,), (1, 4, 5, 3)])
def test_unsigned_division_equals_litert_where_litert_defines_it(shape: tuple[int, ...]) -> None:
    """LiteRT shifts a dividend of zero by more than 31 places, so no input here is zero."""
    data = binary("DIV", "uint8", (1, 4, 5, 3), shape, constant=True)
    graph, oracle = parse_tflite(data), LiteRT(data)
    generator = np.random.default_rng(0)
    for _ in range(5):
        feed = generator.integers(125, 256, (1, 4, 5, 3), np.uint8)
        theirs = stored(graph, graph.outputs[0], oracle.run([feed])[0])
        assert np.array_equal(run_graph(graph, [feed])[0], theirs)


def test_every_converter_has_a_case() -> None:
    named = {name.split("-")[0] for name in CASES} | {"CAST", "SHAPE"}  # tests of their own
    assert set(supported_operators()) <= named


def test_the_names_of_operators_are_those_of_the_schema() -> None:
    numbers = {
        name: number
        for name, number in vars(schema.BuiltinOperator).items()
        if isinstance(number, int)
    }
    assert {name: number for number, name in enumerate(BUILTINS)} == numbers


LAYOUTS = [
    *(
        getattr(module, name)
        for module in (convolution, cutting, dense, pooling, rearranging, shape)
        for name in dir(module)
        if isinstance(getattr(module, name), Layout)
    ),
    GELU,
    LEAKY_RELU,
    SOFTMAX,
    UNIDIRECTIONAL_SEQUENCE_LSTM,
    REDUCER,
    STRIDED_SLICE,
]


@pytest.mark.parametrize("declared", LAYOUTS, ids=lambda declared: declared.name)
def test_options_are_declared_as_in_the_schema(declared: Layout) -> None:
    assert getattr(schema.BuiltinOptions, declared.name) == declared.union
    table = getattr(schema, declared.name)
    for name, field in declared.fields.items():
        if name.startswith("_"):
            continue
        camel = re.sub(r"_(\w)", lambda match: match[1].upper(), f"_{name}")
        camel = {"DilationWFactor": "DilationWFactor", "NewShape": "NewShape"}.get(camel, camel)
        adder = getattr(schema, f"{declared.name}Add{camel}", None)
        assert adder is not None and hasattr(table, camel), camel
        slots: list[int] = []

        class Recorder:
            def __getattr__(self, prepend: str, slots: list[int] = slots) -> object:
                return lambda slot, *rest: slots.append(slot)

        adder(Recorder(), 0)
        assert slots == [field.slot], name


TIE_RICH = {
    "conv": ("CONV_2D", (1, 16, 16, 8), (8, 1, 1, 8), 0, "Conv2DOptions", {}),
    "conv of 3 x 3": ("CONV_2D", (1, 16, 16, 8), (8, 3, 3, 8), 0, "Conv2DOptions", {}),
    "depthwise": ("DEPTHWISE_CONV_2D", (1, 16, 16, 64), (1, 3, 3, 64), 3,
                  "DepthwiseConv2DOptions", {"depthMultiplier": 1}),
    "transposed": ("TRANSPOSE_CONV", (1, 16, 16, 8), (8, 3, 3, 8), 0, "TransposeConvOptions",
                   {"target": (1, 16, 16, 8)}),
}  # fmt: skip
"""Layers whose scales are powers of two, so that sums often lie halfway between two outputs.

Their channels are a multiple of 8: in the channels that remain, in grouped convolutions and in
depthwise ones of uint8 LiteRT rounds halves away from zero, where netsuke knows one rule only.
"""


@pytest.mark.parametrize("name", TIE_RICH)
def test_halves_are_rounded_as_litert_rounds_them(name: str) -> None:
    kind, shape, weights, channel, options, fields = TIE_RICH[name]
    generator = np.random.default_rng(5)
    model, units = Model(), weights[channel]
    x = model.tensor(shape, "int8", (0.0625, -10))
    scales = np.full(units, 0.25, np.float32)
    w = model.constant(generator.integers(-127, 128, weights), "int8",
                       (scales, [0] * units, channel))  # fmt: skip
    b = model.constant(generator.integers(-300, 300, units), "int32", (0.015625, 0))
    y = model.tensor((), "int8", (8.0, 3))
    inputs = [x, w, b]
    if "target" in fields:
        inputs = [model.constant(np.array(fields["target"], np.int32)), w, x, b]
    fields = {key: value for key, value in fields.items() if key != "target"}
    model.op(kind, inputs, [y], options, 3, strideH=1, strideW=1, **fields)
    assert differences(model.bytes([x], [y]), 5) == 0
