"""The assembler of the DSP kernels on an emulated Cortex-M4 equals the meaning, every kernel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from test_dsp_kernels import conv_tensors

from netsuke.codegen import compile_graph
from netsuke.devices import device
from netsuke.ir import Graph, GraphBuilder, Kernel, Op, Quant, Tensor, constant, interpret
from netsuke.ops.add import Add
from netsuke.ops.conv2d import Conv2d
from netsuke.ops.dense import Dense
from netsuke.ops.depthwise_conv2d import DepthwiseConv2d
from netsuke.verify.unicorn import UnicornModel

OUTPUT = Quant((0.03,), (-20,))


def add_node(builder: GraphBuilder, op: Op, inputs: Sequence[Tensor]) -> str:
    names = [
        builder.input(t.name, t.shape, t.dtype, t.quant)
        if t.data is None
        else builder.constant(t.name, t.data, t.quant)
        for t in inputs
    ]
    return builder.one(op, *names, quant=OUTPUT)


def conv_graph() -> Graph:
    """Windows of 1 to 68 pairs, every rest of a run, every rest of a strip, odd channels."""
    rng, builder, outputs = np.random.default_rng(1), GraphBuilder("convolutions"), []
    same = ((1, 1), (1, 1))
    cases: list[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
        ((5, 3, 1), (5, 1, 1), {}),
        ((4, 5, 6), (3, 3, 3), {"padding": same}),
        ((6, 7, 9), (4, 2, 1), {"stride": (2, 2), "low": 0.0}),
        ((5, 9, 16), (8, 3, 3), {"padding": same, "high": 2.0}),
        ((9, 5, 3), (6, 3, 2), {"padding": ((0, 1), (1, 0)), "stride": (2, 1)}),
        ((8, 8, 5), (2, 3, 3), {"dilation": (2, 2), "padding": ((2, 2), (0, 2))}),
        ((7, 8, 2), (16, 3, 1), {"dilation": (2, 1)}),
        ((3, 3, 34), (12, 2, 2), {}),
        ((2, 5, 32), (32, 1, 1), {}),
        ((5, 7, 6), (13, 1, 1), {"low": 0.0}),
    ]
    for image, kernel, fields in cases:
        tensors = conv_tensors(rng, image, (*kernel, image[2]), int(rng.integers(-128, 128)))
        outputs.append(add_node(builder, Conv2d(**fields), tensors))
    return builder.build(outputs)


def other_graph() -> Graph:
    """Depthwise layers along rows and columns, dense layers with rests, additions."""
    rng, builder, outputs = np.random.default_rng(2), GraphBuilder("others"), []
    same = ((1, 1), (1, 1))
    cases: list[tuple[tuple[int, int, int], int, dict[str, Any]]] = [
        ((7, 6, 4), 1, {"padding": same}),
        ((25, 5, 3), 1, {"padding": same, "low": 0.0}),
        ((9, 8, 2), 2, {"padding": ((0, 1), (0, 1)), "stride": (2, 2)}),
        ((6, 11, 1), 1, {"stride": (1, 2)}),
        ((9, 9, 2), 1, {"stride": (3, 1), "dilation": (2, 1)}),
        ((3, 3, 5), 1, {"padding": same}),
    ]
    for image, multiplier, fields in cases:
        k = image[2] * multiplier
        x, w, b = conv_tensors(rng, image, (k, 3, 3), int(rng.integers(-128, 128)))
        assert w.data is not None and w.quant is not None
        quant = Quant(w.quant.scale, w.quant.zero_point, axis=2)
        w = constant("w", w.data.transpose(1, 2, 0), quant)
        outputs.append(add_node(builder, DepthwiseConv2d(**fields), [x, w, b]))
    for rows, depth, units in [(1, 1, 1), (1, 7, 5), (2, 12, 4), (1, 32, 10), (3, 6, 3)]:
        tensors = conv_tensors(rng, (rows, depth), (units, depth), 5)
        outputs.append(add_node(builder, Dense(), tensors))
    for scales in [(0.1, 0.037), (0.02, 0.1), (0.1, 0.1)]:
        pair = [
            Tensor(n, (3, 7), "int8", Quant((s,), (9,))) for n, s in zip("ab", scales, strict=True)
        ]
        outputs.append(add_node(builder, Add(low=-1.0), pair))
    return builder.build(outputs)


@pytest.mark.parametrize("compiler", ["zig", "arm-none-eabi-gcc"])
@pytest.mark.parametrize("choice", [0, 1, 2, 3])
@pytest.mark.parametrize("make", [conv_graph, other_graph])
def test_every_dsp_kernel_gives_the_meaning_on_a_cortex_m4(
    make: Any, choice: int, compiler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if compiler != "zig":
        pytest.importorskip("shutil").which(compiler) or pytest.skip(f"left out: no {compiler}")
    used: set[str] = set()
    for kind in (Conv2d, DepthwiseConv2d, Dense, Add):
        original = kind.kernels

        def only(
            self: Op, inputs: Any, outputs: Any, isa: Any, original: Any = original
        ) -> tuple[Kernel, ...]:
            kernels = [k for k in original(self, inputs, outputs, isa) if "dsp" in k.function]
            used.update(k.function for k in kernels)
            return (kernels[min(choice, len(kernels) - 1)],)

        monkeypatch.setattr(kind, "kernels", only)
    graph = make()
    # -Os aligns functions less, which assembler that jumps by address must survive.
    optimize = "-Os" if choice % 2 else "-O2"
    artifact = compile_graph(graph, device("nucleo-f446re"))
    model = UnicornModel(artifact, compiler=compiler, optimize=optimize)
    rng = np.random.default_rng(choice)
    feeds = {
        name: rng.integers(-128, 128, graph.tensors[name].shape).astype(np.int8)
        for name in graph.inputs
    }
    expected = interpret(graph, feeds)
    results = model.run(*(feeds[name][None] for name in graph.inputs))
    for name, result in zip(graph.outputs, results, strict=True):
        np.testing.assert_array_equal(result[0], expected[name], err_msg=name)
    flat = np.concatenate([result.ravel() for result in results])
    assert (np.abs(flat.astype(int)) < 127).mean() > 0.3, "most outputs are clamped"
    assert used and all("dsp" in function for function in used)
