"""The whole pipeline on networks as frontends import them, with channels first."""

from __future__ import annotations

from build import First
from meaning import assert_idempotent, assert_same_meaning, kinds

from netsuke import ops
from netsuke.ir import Graph
from netsuke.passes import optimize


def check(graph: Graph) -> list[str]:
    after = optimize(graph)
    assert_same_meaning(graph, after)
    assert_idempotent(optimize, graph)
    names = kinds(after)
    assert "transpose" not in names
    assert "batch_norm" not in names
    return names


def block(b: First, x: str, channels: int, **fields: object) -> str:
    return b.relu(b.batch_norm(b.conv(x, channels, **fields)))


def classifier(b: First, x: str, classes: int = 5) -> str:
    c, h, w = b.tensors[x].shape
    pooled = b.wrapped(ops.AveragePool2d((h, w)), x)
    return b.one(ops.Softmax(), b.dense(b.one(ops.Reshape((c,)), pooled), classes))


def test_a_residual_network_is_only_convolutions_and_sums() -> None:
    b = First()
    x = block(b, b.input("x", (3, 16, 16)), 4)
    for channels, stride in ((4, 1), (8, 2)):
        y = block(b, x, channels, stride=(stride, stride))
        y = b.batch_norm(b.conv(y, channels))
        if stride == 2:
            x = b.batch_norm(b.conv(x, channels, 1, stride=(2, 2)))
        x = b.relu(b.one(ops.Add(), y, x))
    names = check(b.build([classifier(b, x)]))
    assert set(names) == {"conv2d", "add", "average_pool2d", "reshape", "dense", "softmax"}


def test_an_inverted_residual_is_three_convolutions() -> None:
    b = First()
    x = block(b, b.input("x", (3, 8, 8)), 4)
    y = block(b, x, 12, kernel=1)
    depthwise = ops.DepthwiseConv2d(padding=((1, 1), (1, 1)))
    y = b.wrapped(depthwise, y, b.weights(3, 3, 12), b.weights(12))
    y = b.one(ops.Clamp(0.0, 6.0), b.batch_norm(y))
    y = b.one(ops.Add(), x, b.batch_norm(b.conv(y, 4, 1)))
    names = check(b.build([classifier(b, y)]))
    assert names[:5] == ["conv2d", "conv2d", "depthwise_conv2d", "conv2d", "add"]


def test_dense_blocks_normalize_before_they_convolve() -> None:
    b = First()
    x = b.conv(b.input("x", (3, 8, 8)), 4)
    for _ in range(3):
        y = b.conv(b.relu(b.batch_norm(x)), 4)
        x = b.one(ops.Concat(0), x, y)
    x = b.conv(b.relu(b.batch_norm(x)), 6, 1)
    x = b.wrapped(ops.AveragePool2d((2, 2), (2, 2)), x)
    names = check(b.build([classifier(b, b.relu(b.batch_norm(x)))]))
    assert "clamp" not in names


def test_fire_modules_keep_only_convolutions_and_concats() -> None:
    b = First()
    x = b.relu(b.conv(b.input("x", (3, 8, 8)), 8))
    for _ in range(2):
        squeezed = b.relu(b.conv(x, 2, 1))
        left, right = b.relu(b.conv(squeezed, 4, 1)), b.relu(b.conv(squeezed, 4))
        x = b.one(ops.Concat(0), left, right)
    x = b.wrapped(ops.MaxPool2d((2, 2), (2, 2)), x)
    names = check(b.build([b.dense(b.one(ops.Reshape((128,)), x), 5)]))
    assert set(names) == {"conv2d", "concat", "max_pool2d", "reshape", "dense"}


def test_shuffle_units_keep_their_shuffle() -> None:
    b = First()
    x = block(b, b.input("x", (3, 8, 8)), 8)
    for _ in range(2):
        left, right = b.add(ops.Split(0, (4, 4)), [x])
        right = block(b, right, 4, kernel=1)
        joined = b.one(ops.Concat(0), left, right)
        split = b.one(ops.Reshape((2, 4, 8, 8)), joined)
        x = b.one(ops.Reshape((8, 8, 8)), b.one(ops.Transpose((1, 0, 2, 3)), split))
    names = check(b.build([classifier(b, x)]))
    assert names.count("channel_shuffle") == 2


def test_one_dimensional_networks_are_chains_of_convolutions() -> None:
    b = First()
    x = b.input("x", (3, 32))
    for channels in (4, 6, 8):
        depth, length = b.tensors[x].shape
        line = b.one(ops.Transpose((1, 0)), x)
        image = b.one(ops.Reshape((1, length, depth)), line)
        weights = b.weights(channels, 1, 3, depth)
        y = b.one(ops.Conv2d((1, 2)), image, weights, b.weights(channels))
        line = b.one(ops.Reshape((b.tensors[y].shape[1], channels)), y)
        rest = (b.positive(channels), b.weights(channels), b.weights(channels))
        line = b.one(ops.BatchNorm(), line, *rest, b.positive(channels))
        x = b.relu(b.one(ops.Transpose((1, 0)), line))
    flat = b.one(ops.Reshape((x_elements(b, x),)), x)
    names = check(b.build([b.dense(flat, 4)]))
    assert names == ["reshape", "conv2d", "conv2d", "conv2d", "reshape", "dense"]


def x_elements(b: First, x: str) -> int:
    return b.tensors[x].elements


def test_squeeze_and_excite_with_hard_gates_keeps_no_transposition() -> None:
    b = First()
    x = block(b, b.input("x", (3, 8, 8)), 8)
    pooled = b.one(ops.ReduceMean((1, 2), keepdims=True), x)
    gate = b.relu(b.conv(pooled, 2, 1))
    gate = b.one(ops.HardSigmoid(), b.conv(gate, 8, 1))
    check(b.build([classifier(b, b.one(ops.Mul(), x, gate))]))


def test_observers_see_each_change() -> None:
    b = First()
    graph = b.build([classifier(b, block(b, b.input("x", (3, 8, 8)), 4))])
    seen: list[str] = []
    after = optimize(graph, lambda name, _: seen.append(name))
    assert "move_layouts" in seen
    assert "fold_batch_norm" in seen
    assert optimize(after) is after
