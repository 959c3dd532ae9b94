"""Narrow 1 x 1 convolutions with a stride learn without harm to the process."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from netsuke.ir import GraphBuilder, interpret
from netsuke.ops import Conv2d
from netsuke.train import to_module

LEARN = """
import torch
from netsuke.ir import GraphBuilder
from netsuke.ops import Conv2d
from netsuke.train import to_module
import numpy as np
torch.set_num_threads(1)
builder = GraphBuilder("narrow")
x = builder.input("x", (32, 32, {channels}))
weights = builder.constant("w", np.ones((32, 1, 1, {channels}), np.float32))
bias = builder.constant("b", np.zeros(32, np.float32))
module = to_module(builder.build([builder.one(Conv2d(stride=(2, 2)), x, weights, bias, name="y")]))
for step in range(60):
    image = torch.randn(64, 32, 32, {channels}, requires_grad=True)
    module(image).square().mean().backward()
print("learned")
"""


@pytest.mark.parametrize("channels", [4, 5])
def test_the_process_survives(channels: int) -> None:
    code = LEARN.format(channels=channels)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "learned" in done.stdout, done.stderr[-500:]


@pytest.mark.parametrize("stride", [(2, 2), (3, 1)])
def test_the_result_is_that_of_numpy(stride: tuple[int, int]) -> None:
    import torch

    rng = np.random.default_rng(0)
    builder = GraphBuilder("narrow")
    x = builder.input("x", (7, 9, 3))
    values = rng.standard_normal((6, 1, 1, 3)).astype(np.float32)
    weights, bias = builder.constant("w", values), builder.constant("b", values[:, 0, 0, 0].copy())
    graph = builder.build([builder.one(Conv2d(stride=stride), x, weights, bias, name="y")])
    image = rng.standard_normal((7, 9, 3)).astype(np.float32)
    found = to_module(graph)(torch.from_numpy(image[None]))[0].detach().numpy()
    wanted = interpret(graph, {"x": image})["y"]
    assert np.allclose(found, wanted, atol=1e-6)
