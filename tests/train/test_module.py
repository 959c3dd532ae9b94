"""A graph in PyTorch computes what the graph means, and learns what it should."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from netsuke.errors import UsageError
from netsuke.ir import Graph, GraphBuilder, Quant, constant, interpret_batch
from netsuke.models import build
from netsuke.ops import BatchNorm, Clamp, Dense, Mul
from netsuke.passes import optimize
from netsuke.passes.edit import own_constants
from netsuke.train import from_module, scores_graph, to_module


def samples(graph: Graph, count: int = 3) -> np.ndarray:
    shape = graph.tensors[graph.inputs[0]].shape
    return np.random.default_rng(0).normal(size=(count, *shape)).astype(np.float32)


@pytest.mark.parametrize(
    "spec", ["lenet?size=8", "resnet8?width=0.25&size=16", "ds_cnn?width=0.2&softmax=1"]
)
def test_a_module_computes_the_graph(spec: str) -> None:
    graph = build(spec)
    x = samples(graph)
    with torch.no_grad():
        result = to_module(graph).eval()(torch.from_numpy(x)).numpy()
    assert np.allclose(result, interpret_batch(graph, x)[0], atol=1e-4)


def test_weights_come_back_unchanged_and_changed() -> None:
    graph = build("lenet?size=8")
    module = to_module(graph)
    assert from_module(graph, module).fingerprint() == graph.fingerprint()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(2.0)
    doubled = from_module(graph, module)
    assert np.allclose(
        doubled.tensors["conv1.weights"].data, 2 * graph.tensors["conv1.weights"].data
    )
    assert doubled.tensors["norm2.mean"].data.tolist() == graph.tensors["norm2.mean"].data.tolist()


def test_training_normalizes_by_the_batch_and_measures_it() -> None:
    builder = GraphBuilder()
    x = builder.input("x", (4, 4, 3))
    names = [
        builder.constant(name, np.full(3, value, np.float32))
        for name, value in (("scale", 1.0), ("offset", 0.5), ("mean", 0.0), ("variance", 1.0))
    ]
    graph = builder.build([builder.one(BatchNorm(epsilon=1e-5), x, *names, name="y")])
    module = to_module(graph)
    module.momentum = 1.0
    batch = np.random.default_rng(1).normal(3.0, 2.0, (64, 4, 4, 3)).astype(np.float32)
    result = module.train()(torch.from_numpy(batch)).detach().numpy()
    assert np.allclose(result.mean(axis=(0, 1, 2)), 0.5, atol=1e-5)
    measured = from_module(graph, module)
    assert np.allclose(measured.tensors["mean"].data, batch.mean(axis=(0, 1, 2)), atol=1e-4)
    assert np.allclose(measured.tensors["variance"].data, batch.var(axis=(0, 1, 2)), rtol=1e-4)
    with torch.no_grad():
        still = to_module(measured).eval()(torch.from_numpy(batch)).numpy()
    assert np.allclose(still, result, atol=1e-3)


def test_scalars_of_a_formula_are_not_learned() -> None:
    builder = GraphBuilder()
    x = builder.input("x", (4,))
    sixth = builder.constant("sixth", np.float32(1 / 6))
    graph = builder.build([builder.one(Mul(), x, sixth)])
    assert not list(to_module(graph).parameters())


def test_a_softmax_at_the_end_is_left_out_of_the_scores() -> None:
    graph = build("ds_cnn?width=0.2&softmax=1")
    scores = scores_graph(graph)
    assert [node.op.kind for node in scores.nodes][-1] == "dense"
    x = samples(graph)
    probabilities = interpret_batch(graph, x)[0]
    assert np.array_equal(interpret_batch(scores, x)[0].argmax(1), probabilities.argmax(1))


def test_shared_constants_are_given_to_each_reader() -> None:
    graph = optimize(build("lenet?size=8&width=0.5"))
    readers = [name for node in graph.nodes for name in node.inputs if "bias" in name]
    own = own_constants(graph)
    after = [name for node in own.nodes for name in node.inputs if own.tensors[name].is_constant]
    assert len(set(after)) == len(after) >= len(readers)
    x = samples(graph)
    assert np.array_equal(interpret_batch(own, x)[0], interpret_batch(graph, x)[0])


def test_integers_cannot_be_trained() -> None:
    builder = GraphBuilder()
    x = builder.input("x", (4,), "int8", Quant((0.1,)))
    graph = builder.build([builder.one(Clamp(0.0, 1.0), x, quant=Quant((0.1,)))])
    with pytest.raises(UsageError, match="needs the float model"):
        to_module(graph)


def test_a_value_that_is_not_finite_is_refused() -> None:
    builder = GraphBuilder()
    x = builder.input("x", (2,))
    tensors = [constant("w", np.ones((2, 2), np.float32)), constant("b", np.ones(2, np.float32))]
    names = [builder.constant(t.name, t.data) for t in tensors]
    graph = builder.build([builder.one(Dense(), x, *names)])
    module = to_module(graph)
    with torch.no_grad():
        next(module.parameters()).fill_(float("nan"))
    with pytest.raises(Exception, match="not finite after training"):
        from_module(graph, module)
