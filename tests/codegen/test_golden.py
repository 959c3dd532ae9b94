"""Generated C, word for word; `pytest --update-golden` accepts what changed."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from netsuke.codegen import compile_graph
from netsuke.devices import device
from netsuke.ir import Graph, GraphBuilder, Quant
from netsuke.ops import Clamp, Conv2d, Dense, MaxPool2d, Reshape, Softmax

GOLDEN = Path(__file__).parent / "golden"


def classifier() -> Graph:
    """A small int8 network with a convolution, a view, a dense layer and a softmax."""
    builder = GraphBuilder("classifier")
    x = builder.input("image", (6, 6, 1), "int8", Quant((0.0078125,), (0,)))
    w = builder.constant(
        "kernel",
        np.arange(-18, 18, dtype=np.int8).reshape(4, 3, 3, 1),
        Quant((0.5, 0.25, 0.125, 0.0625), (0,) * 4, 0),
    )
    b = builder.constant("bias", np.array([1, -2, 3, -4], np.int32))
    y = builder.one(Conv2d(low=0.0), x, w, b, name="features", quant=Quant((0.25,), (-128,)))
    y = builder.one(MaxPool2d((2, 2), (2, 2)), y, name="pooled", quant=Quant((0.25,), (-128,)))
    y = builder.one(Reshape((16,)), y, name="flat", quant=Quant((0.25,), (-128,)))
    w = builder.constant("weights", np.arange(-24, 24, dtype=np.int8).reshape(3, 16), Quant((0.5,)))
    b = builder.constant("offsets", np.zeros(3, np.int32))
    y = builder.one(Dense(), y, w, b, name="scores", quant=Quant((4.0,), (0,)))
    y = builder.one(Softmax(), y, name="probabilities", quant=Quant((1 / 256,), (-128,)))
    return builder.build([y])


def scaler() -> Graph:
    """A float network of one node that works in place."""
    builder = GraphBuilder("scaler")
    x = builder.input("x", (4,))
    return builder.build([builder.one(Clamp(low=-1.5, high=6.0), x, name="y")])


@pytest.mark.parametrize("make", [classifier, scaler])
@pytest.mark.parametrize("board", ["nucleo-f446re", "rpi-pico"])
def test_generated_c_is_as_it_was(make, board: str, request: pytest.FixtureRequest) -> None:
    artifact = compile_graph(make(), device(board))
    folder = GOLDEN / f"{make.__name__}-{board}"
    for name in ("model.h", "model.c", "model_data.h"):
        path, content = folder / name, artifact.files[PurePosixPath(name)]
        if request.config.getoption("--update-golden"):
            folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        assert content.decode() == path.read_text(encoding="utf-8"), (
            f"{path} differs; if that is meant, run pytest --update-golden"
        )
