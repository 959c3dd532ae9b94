"""A final softmax can be left out; what it was given becomes the output, with its quantization."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import netsuke as nk
from netsuke import ops
from netsuke.errors import UsageError
from netsuke.ir import GraphBuilder, Quant, interpret, verify
from netsuke.passes.drop_final_softmax import drop_final_softmax

SCORES, PROBABILITIES = Quant((0.1,), (5,)), Quant((1 / 256,), (-128,))


def classifier(*behind: str) -> GraphBuilder:
    """Scores by a table, a softmax, and perhaps something behind it."""
    builder = GraphBuilder("classifier")
    x = builder.input("x", (1, 6), "int8", Quant((0.3,), (0,)))
    y = builder.one(ops.Tanh(), x, name="scores", quant=SCORES)
    y = builder.one(ops.Softmax(), y, name="softmax", quant=PROBABILITIES)
    if "reshape" in behind:
        y = builder.one(ops.Reshape((6,)), y, name="flat", quant=PROBABILITIES)
    if "dequantize" in behind:
        y = builder.one(ops.Dequantize(), y, name="real")
    builder.last = y  # type: ignore[attr-defined]
    return builder


@pytest.mark.parametrize("behind", [(), ("reshape",), ("dequantize",), ("reshape", "dequantize")])
def test_the_scores_come_out_under_the_name_of_the_output(behind: tuple[str, ...]) -> None:
    builder = classifier(*behind)
    last = builder.last  # type: ignore[attr-defined]
    graph = builder.build([last])
    scores = builder.build(["scores"])
    after = verify(drop_final_softmax(graph))
    assert after.outputs == graph.outputs
    assert all(node.op.kind != "softmax" for node in after.nodes)
    feed = {"x": np.array([[-40, -3, 0, 7, 9, 100]], np.int8)}
    expected = interpret(scores, feed)["scores"].reshape(-1)
    got = interpret(after, feed)[last].reshape(-1)
    if "dequantize" in behind:
        expected = SCORES.dequantize(expected)
    else:
        assert after.tensors[last].quant == SCORES
    np.testing.assert_array_equal(got, expected)


def test_a_network_without_softmax_is_refused_by_what_it_ends_in() -> None:
    builder = GraphBuilder("plain")
    x = builder.input("x", (4,))
    graph = builder.build([builder.one(ops.Tanh(), x, name="y")])
    with pytest.raises(UsageError, match=r"no output is a softmax.*'y' \(made by tanh\)"):
        drop_final_softmax(graph)


def test_a_softmax_of_the_input_cannot_be_left_out() -> None:
    builder = GraphBuilder("only")
    x = builder.input("x", (4,))
    graph = builder.build([builder.one(ops.Softmax(), x, name="y")])
    with pytest.raises(UsageError, match="reads 'x'"):
        drop_final_softmax(graph)


def test_a_softmax_that_another_node_reads_stays() -> None:
    builder = classifier()
    doubled = builder.one(ops.Square(), "softmax", quant=PROBABILITIES)
    graph = builder.build([doubled])
    with pytest.raises(UsageError):
        drop_final_softmax(graph)


def test_a_real_network_compiles_to_its_scores(real_data: Path) -> None:
    model = real_data / "mlperf_tiny" / "kws_ref_model.tflite"
    whole = nk.compile(model, "nucleo-f446re")
    bare = nk.compile(model, "nucleo-f446re", final_softmax=False)
    assert any("softmax" in path.name for path in whole.files)
    assert not any("softmax" in path.name for path in bare.files)
    assert nk.verify(bare, on="host", vectors=2).bit_exact
