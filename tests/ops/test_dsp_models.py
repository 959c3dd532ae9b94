"""Modelled instructions of the kernels for DSP cores lie within a tenth of the executed ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kernel_jobs import check
from kernel_machines import EmulatedCore
from random_nodes import Node, jobs_of, make_node
from test_dsp_kernels import conv_tensors

from netsuke.ir import Op, Quant, Tensor, constant
from netsuke.ops import Add, AveragePool2d, Conv2d, Dense, DepthwiseConv2d, MaxPool2d

ISA = frozenset({"thumb2", "dsp", "fpu-sp"})
SAME = ((1, 1), (1, 1))
OUTPUT = Quant((0.03,), (-20,))
LIMIT = 0.1


def weighted(op: Op, image: tuple[int, ...], kernel: tuple[int, ...]) -> Node:
    rng = np.random.default_rng(0)
    x, w, b = conv_tensors(rng, image, kernel, 3)
    if isinstance(op, DepthwiseConv2d):
        assert w.data is not None and w.quant is not None
        quant = Quant(w.quant.scale, w.quant.zero_point, axis=2)
        w = constant("w", w.data.transpose(1, 2, 0), quant)
    return make_node(op, [x, w, b], OUTPUT, rng)


def plain(op: Op, *shapes: tuple[int, ...]) -> Node:
    rng = np.random.default_rng(0)
    scales = (0.1, 0.037)
    inputs = [
        Tensor(f"x{i}", shape, "int8", Quant((scales[i],), (3,))) for i, shape in enumerate(shapes)
    ]
    assert inputs[0].quant is not None
    return make_node(op, inputs, inputs[0].quant, rng)


CASES: dict[str, tuple[Any, ...]] = {
    "keywords' first layer": (
        Conv2d((2, 2), padding=((4, 5), (1, 1))),
        (25, 10, 1),
        (32, 10, 4, 1),
    ),
    "three channels": (Conv2d(padding=SAME), (12, 12, 3), (16, 3, 3, 3)),
    "pointwise": (Conv2d(), (10, 5, 64), (32, 1, 1, 64)),
    "sixteen channels": (Conv2d(padding=SAME), (16, 16, 16), (16, 3, 3, 16)),
    "stride two": (Conv2d((2, 2), padding=SAME), (12, 12, 16), (32, 3, 3, 16)),
    "groups": (Conv2d(padding=SAME, groups=4), (10, 10, 32), (32, 3, 3, 8)),
    "depthwise": (DepthwiseConv2d(padding=SAME), (25, 5, 16), (16, 3, 3)),
    "depthwise 5 x 5": (DepthwiseConv2d(padding=((2, 2), (2, 2))), (20, 20, 4), (4, 5, 5)),
    "depthwise 1 x 9": (DepthwiseConv2d(padding=((0, 0), (4, 4))), (1, 80, 6), (6, 1, 9)),
    "dense": (Dense(), (640,), (32, 640)),
    "short dense": (Dense(), (8,), (128, 8)),
}
POOLS = {
    "addition": lambda: plain(Add(), (2000,), (2000,)),
    "average": lambda: plain(AveragePool2d((8, 8)), (8, 8, 64)),
    "maximum": lambda: plain(MaxPool2d((2, 2), (2, 2)), (16, 16, 32)),
}


@pytest.mark.parametrize("case", [*CASES, *POOLS])
def test_the_model_of_the_fastest_kernel_is_right_within_a_tenth(case: str) -> None:
    node = weighted(*CASES[case]) if case in CASES else POOLS[case]()
    jobs = jobs_of(node, ISA, 4, case, lambda name: "_dsp" in name)
    core = EmulatedCore("cortex-m4", ISA)
    check(jobs, core.run(jobs))
    took = {}
    for job, count in zip(jobs, core.instructions, strict=True):
        took.setdefault((job.function, job.instructions), count)
    fastest = {}
    for (function, model), count in sorted(took.items(), key=lambda item: -item[1]):
        fastest[function] = (model, count)
    for function, (model, count) in fastest.items():
        if function.endswith("_small") or function.endswith("_bands"):
            continue  # kernels that save memory
        assert model == pytest.approx(count, rel=LIMIT), f"{function}: {model / count:.2f}"
