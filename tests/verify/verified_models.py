"""Small models that the tests of this room build, run and break."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

import numpy as np

from netsuke.codegen import Artifact, compile_graph
from netsuke.devices import device
from netsuke.ir import Graph, GraphBuilder, Port, Quant
from netsuke.ops import Conv2d, Dense

MODEL = PurePosixPath("model.c")


def integer_graph(size: int = 6) -> Graph:
    """A convolution and a dense layer whose outputs use most of their range."""
    rng = np.random.default_rng(0)
    build = GraphBuilder("small")
    x = build.input("x", (size, size, 3), "int8", Quant((0.5,), (3,)))
    scales = tuple(float(s) for s in rng.uniform(0.01, 0.02, 5))
    w = build.constant(
        "w", rng.integers(-127, 128, (5, 3, 3, 3)).astype(np.int8), Quant(scales, (0,) * 5, 0)
    )
    b = build.constant("b", rng.integers(-500, 500, 5).astype(np.int32))
    conv = Conv2d(padding=((1, 1), (1, 1)), low=0.0)
    y = build.one(conv, x, w, b, name="y", quant=Quant((1.5,), (-128,)))
    v = build.constant("v", rng.integers(-127, 128, (4, 5)).astype(np.int8), Quant((0.01,)))
    c = build.constant("c", rng.integers(-500, 500, 4).astype(np.int32))
    build.ports["x"] = Port((1, 2, 0), "float32")
    z = build.one(Dense(), y, v, c, name="z", quant=Quant((3.0,), (-5,)))
    build.ports[z] = Port((1, 2, 0), "float32")
    return build.build([z])


def float_graph() -> Graph:
    rng = np.random.default_rng(0)
    build = GraphBuilder("reals")
    x = build.input("x", (20,))
    w = build.constant("w", rng.normal(size=(7, 20)).astype(np.float32))
    b = build.constant("b", rng.normal(size=7).astype(np.float32))
    return build.build([build.one(Dense(low=-1.0), x, w, b, name="y")])


def artifact_of(graph: Graph, board: str = "nucleo-f446re") -> Artifact:
    return compile_graph(graph, device(board))


def broken(artifact: Artifact, old: str, new: str) -> Artifact:
    """The artifact with a change to its ``model.c``."""
    text = artifact.files[MODEL].decode()
    assert old in text
    return replace(artifact, files={**artifact.files, MODEL: text.replace(old, new, 1).encode()})


def with_invoke(artifact: Artifact, statements: str, outside: str = "") -> Artifact:
    """The artifact with statements in front of its inference."""
    head = "void model_invoke(void)\n{\n"
    return broken(artifact, head, f"{outside}\n{head}{statements}\n")


def samples(graph: Graph, count: int, seed: int = 1) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    arrays = []
    for name in graph.inputs:
        tensor = graph.tensors[name]
        if tensor.dtype == "float32":
            arrays.append(rng.normal(size=(count, *tensor.shape)).astype(np.float32))
        else:
            arrays.append(rng.integers(-128, 128, (count, *tensor.shape)).astype(np.int8))
    return tuple(arrays)
