"""Windows that see nothing but padding."""

from __future__ import annotations

import numpy as np
import pytest
from node_check import check_node

from netsuke.ir import Quant, Tensor
from netsuke.ops import Conv2d, DepthwiseConv2d

X = Quant((0.05,), (3,))
CORES = [(), ("thumb2", "dsp"), ("thumb",), ("thumb2", "dsp", "mve"), ("a64", "neon")]


@pytest.mark.parametrize("isa", CORES, ids="-".join)
@pytest.mark.parametrize("padding", [((1, 0), (2, 2)), ((3, 3), (0, 0)), ((2, 4), (5, 1))])
def test_a_window_may_lie_wholly_in_the_padding(
    isa: tuple[str, ...], padding: tuple[tuple[int, int], tuple[int, int]]
) -> None:
    rng = np.random.default_rng(0)
    for op, shape in ((Conv2d, (4, 3, 1, 6)), (DepthwiseConv2d, (3, 1, 6))):
        axis, channels = (0, 4) if op is Conv2d else (2, 6)
        scale = tuple(0.01 * (1 + n % 3) for n in range(channels))
        weights = rng.integers(-127, 128, shape).astype(np.int8)
        bias = rng.integers(-1000, 1000, channels).astype(np.int32)
        inputs = [
            Tensor("x", (3, 1, 6), "int8", X),
            Tensor("w", shape, "int8", Quant(scale, (0,) * channels, axis), weights),
            Tensor("b", (channels,), "int32", None, bias),
        ]
        node = op(stride=(2, 1), padding=padding)
        assert check_node(node, inputs, [Quant((0.3,), (0,))], isa=frozenset(isa))
