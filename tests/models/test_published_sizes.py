"""Every network's parameters and multiply-accumulates, derived again from the papers' tables.

`Tally` knows no graph: it is given each layer's output side, channels and kernel as the tables
have them. The sums then equal both our graphs and the figures that papers or their reference
implementations print. Papers count weights, biases, and scales and offsets of normalizations.
"""

from __future__ import annotations

import numpy as np
import pytest

from netsuke.models import build, learned_parameters
from netsuke.models.layers import Layers


class Tally:
    """Parameters and multiply-accumulates of layers, one after the other."""

    def __init__(self) -> None:
        self.parameters = self.macs = 0

    def conv(
        self, side: int, inputs: int, outputs: int, kernel: int, groups: int = 1, extra: int = 2
    ) -> None:
        """`extra` numbers a channel: 2 for a normalization, 1 for a bias."""
        weights = kernel * kernel * inputs * outputs // groups
        self.parameters += weights + extra * outputs
        self.macs += side * side * weights

    def dense(self, inputs: int, outputs: int) -> None:
        self.conv(1, inputs, outputs, 1, extra=1)

    def norm(self, channels: int) -> None:
        self.parameters += 2 * channels


def mobilenet_v1() -> Tally:
    """Table 1 of arXiv:1704.04861."""
    t = Tally()
    t.conv(112, 3, 32, 3)
    depth = 32
    rows = [(112, 64), (56, 128), (56, 128), (28, 256), (28, 256), (14, 512)]
    for side, channels in [*rows, *[(14, 512)] * 5, (7, 1024), (7, 1024)]:
        t.conv(side, depth, depth, 3, groups=depth)
        t.conv(side, depth, channels, 1)
        depth = channels
    t.dense(1024, 1000)
    return t


def mobilenet_v2() -> Tally:
    """Table 2 of arXiv:1801.04381: input side, t, c, n, s."""
    t = Tally()
    t.conv(112, 3, 32, 3)
    depth = 32
    for side, expansion, channels, count, stride in (
        (112, 1, 16, 1, 1),
        (112, 6, 24, 2, 2),
        (56, 6, 32, 3, 2),
        (28, 6, 64, 4, 2),
        (14, 6, 96, 3, 1),
        (14, 6, 160, 3, 2),
        (7, 6, 320, 1, 1),
    ):
        for index in range(count):
            inner = expansion * depth
            into = side if index == 0 else side // stride
            if expansion > 1:
                t.conv(into, depth, inner, 1)
            t.conv(side // stride, inner, inner, 3, groups=inner)
            t.conv(side // stride, inner, channels, 1)
            depth = channels
    t.conv(7, 320, 1280, 1)
    t.dense(1280, 1000)
    return t


def mobilenet_v3(rows: str, last: int) -> Tally:
    """Tables 1 and 2 of arXiv:1905.02244: input side, kernel, expansion, out, SE, stride."""
    t = Tally()
    t.conv(112, 3, 16, 3)
    depth = 16
    for row in rows.split(","):
        side, kernel, inner, channels, excite, stride = map(int, row.split())
        if inner != depth:
            t.conv(side, depth, inner, 1)
        t.conv(side // stride, inner, inner, kernel, groups=inner)
        if excite:
            squeezed = SQUEEZED[inner]
            t.conv(1, inner, squeezed, 1, extra=1)
            t.conv(1, squeezed, inner, 1, extra=1)
        t.conv(side // stride, inner, channels, 1)
        depth = channels
    t.conv(7, depth, 6 * depth, 1)
    t.dense(6 * depth, last)
    t.dense(last, 1000)
    return t


SQUEEZED = {
    **{16: 8, 72: 24, 96: 24, 120: 32, 144: 40, 240: 64},
    **{288: 72, 480: 120, 576: 144, 672: 168, 960: 240},
}
"""A quarter of the expanded channels, to the nearest 8 that is at most a tenth less."""
V3_LARGE = (
    "112 3 16 16 0 1,112 3 64 24 0 2,56 3 72 24 0 1,56 5 72 40 1 2,28 5 120 40 1 1,28 5 120 40 1 1,"
    "28 3 240 80 0 2,14 3 200 80 0 1,14 3 184 80 0 1,14 3 184 80 0 1,14 3 480 112 1 1,"
    "14 3 672 112 1 1,14 5 672 160 1 2,7 5 960 160 1 1,7 5 960 160 1 1"
)
V3_SMALL = (
    "112 3 16 16 1 2,56 3 72 24 0 2,28 3 88 24 0 1,28 5 96 40 1 2,14 5 240 40 1 1,14 5 240 40 1 1,"
    "14 5 120 48 1 1,14 5 144 48 1 1,14 5 288 96 1 2,7 5 576 96 1 1,7 5 576 96 1 1"
)


def squeezenet(version: str) -> Tally:
    """Table 1 of arXiv:1602.07360, with unpadded 224; for 1.1 the authors' repository."""
    t = Tally()
    first, kernel, side = (96, 7, 109) if version == "1.0" else (64, 3, 111)
    t.conv(side, 3, first, kernel, extra=1)
    sides = [54] * 3 + [27] * 4 + [13] if version == "1.0" else [55] * 2 + [27] * 2 + [13] * 4
    depth = first
    for side, squeeze in zip(sides, (16, 16, 32, 32, 48, 48, 64, 64), strict=True):
        t.conv(side, depth, squeeze, 1, extra=1)
        t.conv(side, squeeze, 4 * squeeze, 1, extra=1)
        t.conv(side, squeeze, 4 * squeeze, 3, extra=1)
        depth = 8 * squeeze
    t.conv(13, depth, 1000, 1, extra=1)
    return t


def shufflenet_v1(groups: int, channels: int) -> Tally:
    """Table 1 of arXiv:1707.01083."""
    t = Tally()
    t.conv(112, 3, 24, 3)
    depth = 24
    for side, count in ((28, 4), (14, 8), (7, 4)):
        for index in range(count):
            into = 2 * side if index == 0 else side
            inner, made = channels // 4, channels - depth if index == 0 else channels
            t.conv(into, depth, inner, 1, groups=1 if depth == 24 else groups)
            t.conv(side, inner, inner, 3, groups=inner)
            t.conv(side, inner, made, 1, groups=groups)
            depth = channels
        channels *= 2
    t.dense(depth, 1000)
    return t


def shufflenet_v2(*stages: int, last: int = 1024) -> Tally:
    """Table 5 of arXiv:1807.11164."""
    t = Tally()
    t.conv(112, 3, 24, 3)
    depth = 24
    for side, channels, count in zip((28, 14, 7), stages, (4, 8, 4), strict=True):
        half = channels // 2
        t.conv(side, depth, depth, 3, groups=depth)
        t.conv(side, depth, half, 1)
        for index in range(count):
            t.conv(side if index else 2 * side, half if index else depth, half, 1)
            t.conv(side, half, half, 3, groups=half)
            t.conv(side, half, half, 1)
        depth = channels
    t.conv(7, depth, last, 1)
    t.dense(last, 1000)
    return t


def resnet18() -> Tally:
    """Table 1 of arXiv:1512.03385, with projections where the shape changes."""
    t = Tally()
    t.conv(112, 3, 64, 7)
    depth = 64
    for side, channels in ((56, 64), (28, 128), (14, 256), (7, 512)):
        if channels != depth:
            t.conv(side, depth, channels, 1)
        for inputs in (depth, channels, channels, channels):
            t.conv(side, inputs, channels, 3)
        depth = channels
    t.dense(512, 1000)
    return t


def resnet20() -> Tally:
    """Section 4.2 of arXiv:1512.03385: 19 convolutions, shortcuts without parameters."""
    t = Tally()
    t.conv(32, 3, 16, 3)
    depth = 16
    for side, channels in ((32, 16), (16, 32), (8, 64)):
        for index in range(6):
            t.conv(side, channels if index else depth, channels, 3)
        depth = channels
    t.dense(64, 10)
    return t


def vgg16() -> Tally:
    """Configuration D in table 1 of arXiv:1409.1556."""
    t = Tally()
    depth = 3
    for side, channels, count in (
        *((224, 64, 2), (112, 128, 2), (56, 256, 3), (28, 512, 3), (14, 512, 3)),
    ):
        for _ in range(count):
            t.conv(side, depth, channels, 3, extra=1)
            depth = channels
    t.dense(7 * 7 * 512, 4096)
    t.dense(4096, 4096)
    t.dense(4096, 1000)
    return t


def alexnet(channels: tuple[int, ...], groups: int) -> Tally:
    """Section 3.5 of Krizhevsky et al. 2012."""
    t = Tally()
    rows = ((55, 11, 1), (27, 5, groups), (13, 3, 1), (13, 3, groups), (13, 3, groups))
    for (side, kernel, parts), inputs, outputs in zip(
        rows, (3, *channels[:-1]), channels, strict=True
    ):
        t.conv(side, inputs, outputs, kernel, groups=parts, extra=1)
    t.dense(6 * 6 * channels[-1], 4096)
    t.dense(4096, 4096)
    t.dense(4096, 1000)
    return t


INCEPTIONS = (
    *("28 192 64 96 128 16 32 32", "28 256 128 128 192 32 96 64"),
    *("14 480 192 96 208 16 48 64", "14 512 160 112 224 24 64 64"),
    *("14 512 128 128 256 24 64 64", "14 512 112 144 288 32 64 64"),
    *("14 528 256 160 320 32 128 128", "7 832 256 160 320 32 128 128"),
    *("7 832 384 192 384 48 128 128",),
)


def googlenet(extra: int, large: int) -> Tally:
    """Table 1 of arXiv:1409.4842; `large` is the kernel of its 5 x 5 convolutions."""
    t = Tally()
    t.conv(112, 3, 64, 7, extra=extra)
    t.conv(56, 64, 64, 1, extra=extra)
    t.conv(56, 64, 192, 3, extra=extra)
    for row in INCEPTIONS:
        side, depth, one, three_in, three, five_in, five, pooled = map(int, row.split())
        for inputs, outputs, kernel in (
            *((depth, one, 1), (depth, three_in, 1), (three_in, three, 3)),
            *((depth, five_in, 1), (five_in, five, large), (depth, pooled, 1)),
        ):
            t.conv(side, inputs, outputs, kernel, extra=extra)
    t.dense(1024, 1000)
    return t


def densenet121() -> Tally:
    """Table 1 of arXiv:1608.06993, growth 32, normalizations before each convolution."""
    t = Tally()
    t.conv(112, 3, 64, 7)
    depth = 64
    for side, count in ((56, 6), (28, 12), (14, 24), (7, 16)):
        for _ in range(count):
            t.norm(depth)
            t.conv(side, depth, 128, 1)
            t.conv(side, 128, 32, 3, extra=0)
            depth += 32
        t.norm(depth)
        if count != 16:
            t.conv(side, depth, depth // 2, 1, extra=0)
            depth //= 2
    t.dense(1024, 1000)
    return t


def lenet5() -> Tally:
    """Caffe's LeNet, table 3 of arXiv:1506.02626 (Han et al. 2015): 431 K."""
    t = Tally()
    t.conv(24, 1, 20, 5, extra=1)
    t.conv(8, 20, 50, 5, extra=1)
    t.dense(4 * 4 * 50, 500)
    t.dense(500, 10)
    return t


def lenet_300_100() -> Tally:
    """Table 3 of arXiv:1506.02626: 267 K."""
    t = Tally()
    t.dense(784, 300)
    t.dense(300, 100)
    t.dense(100, 10)
    return t


# Published parameters: those that torchvision prints for its weights of the ImageNet networks;
# AlexNet's grouped form from Caffe's bvlc_alexnet, GoogLeNet's form with biases from Caffe's
# bvlc_googlenet. Published multiply-accumulates stand beside, in millions.
PUBLISHED = [
    ("mobilenet_v1?size=224&classes=1000", mobilenet_v1(), 4_231_976, 569),
    ("mobilenet_v2", mobilenet_v2(), 3_504_872, 300),
    ("mobilenet_v3_large", mobilenet_v3(V3_LARGE, 1280), 5_483_032, 219),
    ("mobilenet_v3_small", mobilenet_v3(V3_SMALL, 1024), 2_542_856, 56),
    ("squeezenet?version=1.0", squeezenet("1.0"), 1_248_424, 820),
    ("squeezenet?version=1.1", squeezenet("1.1"), 1_235_496, 350),
    ("shufflenet_v1?groups=1", shufflenet_v1(1, 144), None, 143),
    ("shufflenet_v1?groups=2", shufflenet_v1(2, 200), None, 140),
    ("shufflenet_v1?groups=3", shufflenet_v1(3, 240), None, 137),
    ("shufflenet_v1?groups=4", shufflenet_v1(4, 272), None, 133),
    ("shufflenet_v1?groups=8", shufflenet_v1(8, 384), None, 137),
    ("shufflenet_v2?width=0.5", shufflenet_v2(48, 96, 192), 1_366_792, 41),
    ("shufflenet_v2?width=1.0", shufflenet_v2(116, 232, 464), 2_278_604, 146),
    ("shufflenet_v2?width=1.5", shufflenet_v2(176, 352, 704), 3_503_624, 299),
    ("shufflenet_v2?width=2.0", shufflenet_v2(244, 488, 976, last=2048), 7_393_996, 591),
    ("resnet18", resnet18(), 11_689_512, 1814),
    ("resnet20", resnet20(), 269_722, 41),
    ("vgg16", vgg16(), 138_357_544, 15_470),
    ("alexnet", alexnet((96, 256, 384, 384, 256), 2), 60_965_224, 724),
    ("alexnet?groups=1", alexnet((64, 192, 384, 256, 256), 1), 61_100_840, 714),
    ("googlenet", googlenet(2, 3), 6_624_904, 1498),
    ("googlenet?norm=no", googlenet(1, 5), 6_998_552, 1582),
    ("densenet121", densenet121(), 7_978_856, 2834),
    ("lenet5", lenet5(), 431_080, 2.3),
    ("lenet_300_100", lenet_300_100(), 266_610, 0.27),
]


@pytest.mark.parametrize(("spec", "tally", "published", "millions"), PUBLISHED)
def test_networks_have_the_sizes_of_their_papers(
    spec: str,
    tally: Tally,
    published: int | None,
    millions: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def undrawn(self: Layers, name: str, shape: tuple[int, ...], fan: int, gain: float = 2) -> str:
        return self.builder.constant(f"{name}.weights", np.zeros(shape, np.float32))

    monkeypatch.setattr(Layers, "weights", undrawn)
    graph = build(spec)
    assert learned_parameters(graph) == tally.parameters
    assert published is None or tally.parameters == published
    assert graph.macs == tally.macs
    # ShuffleNet's papers round, and do not count everything (the classes; pooled pixels).
    assert tally.macs / 1e6 == pytest.approx(millions, rel=0.015)


def test_a_binary_mobilenet_has_the_bytes_that_are_to_be_compressed() -> None:
    learned = learned_parameters(build("mobilenet_v1?classes=2"))
    assert learned == 3_209_026 and 4 * learned == 12_836_104


def test_what_is_learned_is_counted_by_structure_not_by_name() -> None:
    graph = build("resnet8")
    # Two shortcuts are convolutions without a normalization; their biases count.
    assert graph.parameters - learned_parameters(graph) == 3 * (16 + 32 + 64) * 2 + 3 * 16
