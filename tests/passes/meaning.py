"""What pass tests share: a graph means the same before and after."""

from __future__ import annotations

import numpy as np

from netsuke.ir import Array, Graph, interpret, to_text, verify
from netsuke.ir.layout import identity, inverse


def shown_outputs(graph: Graph, shown: list[Array]) -> list[Array]:
    """Run one sample given as the model file shows it; outputs as the file shows them."""
    feeds = {}
    for name, value in zip(graph.inputs, shown, strict=True):
        port = graph.ports.get(name)
        feeds[name] = value if port is None else value.transpose(port.axes)
    results = interpret(graph, feeds)
    outputs = []
    for name in graph.outputs:
        port = graph.ports.get(name)
        value = results[name]
        axes = identity(value.ndim) if port is None else port.axes
        outputs.append(value.transpose(inverse(axes)))
    return outputs


def shown_inputs(graph: Graph, seed: int = 0) -> list[Array]:
    rng = np.random.default_rng(seed)
    values = []
    for name in graph.inputs:
        tensor, port = graph.tensors[name], graph.ports.get(name)
        if tensor.dtype == "float32":
            value: Array = rng.normal(size=tensor.shape).astype(np.float32)
        else:
            value = rng.integers(-128, 128, tensor.shape).astype(tensor.dtype)
        values.append(value if port is None else value.transpose(inverse(port.axes)))
    return values


def assert_same_meaning(before: Graph, after: Graph, exactly: bool = False) -> None:
    """Equal outputs, in the form that the model file shows, on three random inputs."""
    verify(after)
    assert after.inputs == before.inputs
    assert after.outputs == before.outputs
    for seed in range(3):
        shown = shown_inputs(before, seed)
        for left, right in zip(
            shown_outputs(before, shown), shown_outputs(after, shown), strict=True
        ):
            assert left.shape == right.shape
            if exactly:
                np.testing.assert_array_equal(left, right)
            else:
                np.testing.assert_allclose(left, right, rtol=1e-4, atol=1e-4)


def assert_idempotent(run: object, graph: Graph) -> None:
    """A pass that runs again changes nothing."""
    assert callable(run)
    once = run(graph)
    assert to_text(run(once)) == to_text(once)


def kinds(graph: Graph) -> list[str]:
    return [node.op.kind for node in graph.nodes]
