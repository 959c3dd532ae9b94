"""A table of 256 entries: its kernel, its checks, and its form in ONNX."""

from __future__ import annotations

import numpy as np
import pytest
from node_check import check_node

from netsuke.codegen.onnx import to_onnx
from netsuke.errors import GraphError
from netsuke.ir import GraphBuilder, Quant, Tensor, interpret_batch
from netsuke.ops import Table

VALUES = tuple(int(v) for v in np.random.default_rng(0).integers(-128, 128, 256))
SOURCE, TARGET = Quant((0.037,), (11,)), Quant((0.5,), (-3,))


def test_every_int8_is_looked_up() -> None:
    x = np.arange(-128, 128).astype(np.int8)
    check_node(Table(VALUES), [Tensor("x", x.shape, "int8", SOURCE)], quants=[TARGET], feeds=[x])


@pytest.mark.parametrize("values", [(0,) * 255, (0,) * 255 + (128,)])
def test_tables_of_other_lengths_or_values_are_refused(values: tuple[int, ...]) -> None:
    with pytest.raises(GraphError, match="256 values from -128 to 127"):
        Table(values).infer([Tensor("x", (3,), "int8", SOURCE)])


def test_a_table_is_for_int8_only() -> None:
    with pytest.raises(GraphError, match="float32"):
        Table(VALUES).infer([Tensor("x", (3,))])


def test_onnx_runtime_looks_the_same_values_up() -> None:
    ort = pytest.importorskip("onnxruntime", reason="left out: ONNX Runtime is not installed")
    builder = GraphBuilder("table")
    x = builder.input("x", (256,), "int8", SOURCE)
    graph = builder.build([builder.one(Table(VALUES), x, quant=TARGET)])
    feed = np.arange(-128, 128).astype(np.int8)[None]
    session = ort.InferenceSession(to_onnx(graph), providers=["CPUExecutionProvider"])
    (got,) = session.run(None, {session.get_inputs()[0].name: feed})
    np.testing.assert_array_equal(got, interpret_batch(graph, feed)[0])
