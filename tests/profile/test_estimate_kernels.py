"""Which graph ONNX Runtime is made to run here, and what its kernels take beside their outputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import netsuke as nk
from netsuke.profile.estimate.ort_kernels import WORKSPACE, workspaces

onnx = pytest.importorskip("onnx")
MADE, GIVEN = 16 * 8 * 8, 64 * 8 * 8
"""Bytes of one image before and after the convolutions below."""


def convolution(kind: str = "QLinearConv", **attributes: object) -> object:
    names = ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz"]
    return onnx.helper.make_node(kind, names, ["y"], **attributes)


@pytest.mark.parametrize(
    ("shape", "attributes", "taken"),
    [
        # A symmetric kernel needs only one pointer a tap and position.
        ((16, 64, 3, 3), {"channels_last": 1}, (8 * 9 * 64,)),
        ((16, 1, 3, 3), {"channels_last": 1, "group": 16}, (8 * 9 * 64,)),
        # Too shallow for it: sums of 32 bits, and the image in columns.
        ((16, 3, 3, 3), {"channels_last": 1}, (4 * MADE, 3 * 9 * 64)),
        # Pointwise: the image as it lies, unless it has strides.
        ((16, 64, 1, 1), {"channels_last": 1}, (4 * MADE,)),
        ((16, 64, 1, 1), {"channels_last": 1, "strides": [2, 2]}, (4 * MADE, 64 * 64)),
        # Channels first: both images are turned as well.
        ((16, 64, 3, 3), {}, (GIVEN, MADE, 8 * 9 * 64)),
    ],
)
def test_an_integer_convolution_takes_what_its_path_needs(
    shape: tuple[int, ...], attributes: dict[str, object], taken: tuple[int, ...]
) -> None:
    images = 5
    sizes = {"x": GIVEN * images, "y": MADE * images}
    assert workspaces(convolution(**attributes), {"w": shape}, sizes, images) == taken


def test_a_float_convolution_has_a_buffer_a_thread_unless_it_is_pointwise() -> None:
    assert workspaces(convolution("Conv", kernel_shape=[3, 3]), {}, {}, 1, 2) == (2 * WORKSPACE,)
    assert workspaces(convolution("Conv", kernel_shape=[1, 1]), {}, {}, 1, 2) == ()


def test_int8_networks_run_in_integers_as_they_do_on_arm(tmp_path: Path) -> None:
    """Left to itself, this runtime computes convolutions of signed integers in float on x86."""
    pytest.importorskip("onnxruntime")
    from netsuke.codegen.onnx import to_onnx
    from netsuke.profile.estimate import onnx_runtime

    graph = nk.load("squeezenet?size=32&width=0.25")
    samples = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
    path = tmp_path / "net.onnx"
    path.write_bytes(to_onnx(nk.quantize(graph, samples)))
    kinds = {step.kind for step in onnx_runtime.load(path, [[2, *_shape(path)]], 1).plan.steps}
    assert "QLinearConv" in kinds
    assert "Conv" not in kinds


def _shape(path: Path) -> list[int]:
    dims = onnx.load(str(path)).graph.input[0].type.tensor_type.shape.dim
    return [dim.dim_value for dim in dims[1:]]
