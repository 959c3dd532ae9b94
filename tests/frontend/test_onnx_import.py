"""ONNX files as graphs: the batch axis, computed shapes, old opsets, exporters' habits, errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from onnx_models import check, model, node, random, run_graph, run_oracle

from netsuke import api
from netsuke.errors import ModelError, NetsukeError, UnsupportedOperatorError, UsageError
from netsuke.frontend import load
from netsuke.frontend.onnx import load_onnx, supported_operators
from netsuke.frontend.onnx.importer import import_model
from netsuke.passes import optimize


def conv_net(batch: int | str = 1):
    """Convolution, relu, pooling, a computed flatten and a dense layer."""
    constants = {
        "conv.weight": random(6, 3, 3, 3, seed=1),
        "conv.bias": random(6, seed=2),
        "head.weight": random(4, 54, seed=3),
        "head.bias": random(4, seed=4),
        "one": np.array([-1]),
        "zero": np.array(0),
    }
    nodes = [
        node("Conv", "x conv.weight conv.bias", "c", pads=[1, 1, 1, 1], strides=[2, 2]),
        node("Relu", "c", "r"),
        node("MaxPool", "r", "p", kernel_shape=[2, 2], strides=[1, 1]),
        node("Shape", "p", "s"),
        node("Gather", "s zero", "n", axis=0),
        node("Unsqueeze", "n zero_axis", "n1"),
        node("Concat", "n1 one", "target", axis=0),
        node("Reshape", "p target", "flat"),
        node("Gemm", "flat head.weight head.bias", "y", transB=1),
    ]
    constants["zero_axis"] = np.array([0])
    return model(nodes, {"x": [batch, 3, 8, 8]}, ["y"], constants)


@pytest.mark.parametrize("batch", [1, 3, "batch"])
def test_the_batch_axis_is_dropped(batch: int | str) -> None:
    count = batch if isinstance(batch, int) else 2
    imported = check(conv_net(batch), {"x": random(count, 3, 8, 8)})
    assert imported.graph.tensors["x"].shape == (3, 8, 8)
    assert imported.graph.tensors["y"].shape == (4,)


def test_names_and_weights_survive() -> None:
    graph = load_onnx(conv_net())
    assert (graph.inputs, graph.outputs) == (("x",), ("y",))
    assert {"conv.weight", "conv.bias", "head.weight", "c", "r", "p"} <= set(graph.tensors)
    stored = graph.tensors["conv.weight"].data
    np.testing.assert_array_equal(stored, random(6, 3, 3, 3, seed=1).transpose(0, 2, 3, 1))


def test_optimizing_leaves_no_transposition_but_that_of_the_flatten() -> None:
    graph = optimize(load_onnx(conv_net()))
    assert [entry.op.kind for entry in graph.nodes if entry.op.kind == "transpose"] == []
    assert graph.ports["x"].axes == (1, 2, 0)


def test_an_operator_on_the_batch_axis_makes_the_whole_array_one_sample() -> None:
    nodes = [node("ReduceMean", "x", "m", axes=[0], keepdims=0), node("Exp", "m", "y")]
    imported = check(model(nodes, {"x": [3, 5]}, ["y"]), {"x": random(3, 5)})
    assert imported.inputs == (None,)
    assert imported.graph.tensors["x"].shape == (3, 5)


def test_a_batch_of_one_is_brought_into_the_open_where_needed() -> None:
    nodes = [
        node("Squeeze", "x axes", "s"),
        node("MatMul", "s w", "m"),
        node("Unsqueeze", "m axes", "u"),
        node("Softmax", "u", "y", axis=-1),
    ]
    constants = {"axes": np.array([0]), "w": random(5, 2)}
    check(model(nodes, {"x": [1, 4, 5]}, ["y"], constants), {"x": random(1, 4, 5)})


def test_recurrent_networks_may_have_the_time_first() -> None:
    weights = {"w": random(1, 16, 3), "r": random(1, 16, 4, seed=1), "b": random(1, 32, seed=2)}
    nodes = [node("LSTM", "x w r b", "all h c", hidden_size=4)]
    imported = check(model(nodes, {"x": [6, 2, 3]}, ["all", "h"], weights), {"x": random(6, 2, 3)})
    assert imported.inputs == (1,)
    assert imported.outputs == (2, 1)


def test_a_second_input_without_batch_axis_stays_whole() -> None:
    nodes = [node("Add", "x y", "s"), node("Relu", "s", "z")]
    file = model(nodes, {"x": [4, 5, 6], "y": [5, 1]}, ["z"])
    imported = check(file, {"x": random(4, 5, 6), "y": random(5, 1, seed=1)})
    assert imported.inputs == (0, None)


def test_open_extents_need_shapes() -> None:
    nodes = [node("Conv", "x w", "y", pads=[1, 1, 1, 1])]
    file = model(nodes, {"x": ["n", 2, "h", "w"]}, ["y"], {"w": random(3, 2, 3, 3)})
    with pytest.raises(ModelError, match=r"is \[\?, 2, \?, \?\].*'model.onnx\?x=1x2x224x224'"):
        load_onnx(file)
    check(file, {"x": random(2, 2, 5, 6)}, shapes={"x": (2, 2, 5, 6)})


def test_shapes_are_said_behind_the_file(tmp_path: Path) -> None:
    nodes = [node("Conv", "x w", "y", pads=[1, 1, 1, 1])]
    path = tmp_path / "open.onnx"
    onnx.save(model(nodes, {"x": ["n", 2, "h", "w"]}, ["y"], {"w": random(3, 2, 3, 3)}), path)
    assert api.load(f"{path}?x=1x2x5x6").tensors["x"].shape == (5, 6, 2)
    for wrong, words in (("z=1x2", "no input 'z'"), ("x=1x3x5x6", "is not"), ("x=4", "is not")):
        with pytest.raises(UsageError, match=words):
            api.load(f"{path}?{wrong}")


@pytest.mark.parametrize("attributes", [{}, {"auto_pad": "SAME_UPPER"}, {"auto_pad": "SAME_LOWER"}])
def test_a_wished_output_shape_crops_as_onnx_says(attributes: dict[str, str]) -> None:
    nodes = [node("ConvTranspose", "x w", "y", strides=[2, 2], output_shape=[10, 11], **attributes)]
    file = model(nodes, {"x": [1, 3, 5, 5]}, ["y"], {"w": random(3, 4, 3, 3)})
    check(file, {"x": random(1, 3, 5, 5)})


def test_enlarged_corners_lie_on_corners() -> None:
    """As ONNX Runtime has it; the fractional size 1.7 · 5 is that of 8 pixels."""
    modes = {"mode": "linear", "coordinate_transformation_mode": "align_corners"}
    scales = np.array([1.0, 1.0, 1.7, 2.3], np.float32)
    file = model([node("Resize", "x - s", "y", **modes)], {"x": [1, 2, 5, 4]}, ["y"], {"s": scales})
    check(file, {"x": random(1, 2, 5, 4)})


def test_words_that_nothing_reads_do_no_harm() -> None:
    file = model([node("Relu", "x", "y")], {"x": [1, 4]}, ["y"])
    file.graph.initializer.append(helper.make_tensor("words", onnx.TensorProto.STRING, [1], ["a"]))
    file.graph.input.append(helper.make_tensor_value_info("words", onnx.TensorProto.STRING, [1]))
    assert load_onnx(file).inputs == ("x",)


@pytest.mark.parametrize(("opset", "count"), [(18, 2), (21, 6)])
def test_group_normalization_scales_groups_and_later_channels(opset: int, count: int) -> None:
    constants = {"scale": random(count, seed=1), "offset": random(count, seed=2)}
    nodes = [node("GroupNormalization", "x scale offset", "y", num_groups=2)]
    file = model(nodes, {"x": [1, 6, 4, 3]}, ["y"], constants, opset=opset)
    check(file, {"x": random(1, 6, 4, 3)})


def test_a_sparse_constant_is_named() -> None:
    values = numpy_helper.from_array(np.array([2.0], np.float32), "values")
    sparse = helper.make_sparse_tensor(values, numpy_helper.from_array(np.array([1])), [4])
    nodes = [helper.make_node("Constant", [], ["s"], sparse_value=sparse), node("Add", "x s", "y")]
    with pytest.raises(UnsupportedOperatorError, match="Constant at node 's': holds a sparse"):
        load_onnx(model(nodes, {"x": [1, 4]}, ["y"]))


@pytest.mark.parametrize("opset", [7, 9, 11, 13, 18])
def test_pooling_and_clipping_read_alike_in_all_opsets(opset: int) -> None:
    clip = {"min": -0.5, "max": 0.5} if opset < 11 else {}
    inputs = "a" if clip else "a low high"
    nodes = [
        node("AveragePool", "x", "a", kernel_shape=[3, 2], strides=[2, 1], auto_pad="SAME_UPPER"),
        node("Clip", inputs, "c", **clip),
        node("Softmax", "c", "y", axis=1),
    ]
    constants = {} if clip else {"low": np.float32(-0.5), "high": np.float32(0.5)}
    check(model(nodes, {"x": [2, 3, 6, 5]}, ["y"], constants, opset), {"x": random(2, 3, 6, 5)})


@pytest.mark.parametrize("opset", [9, 10, 11, 18])
def test_upsampling_reads_alike_in_all_opsets(opset: int) -> None:
    constants = {"s": np.array([1, 1, 2, 3], np.float32)}
    resample = {
        9: node("Upsample", "x s", "y", mode="nearest"),
        10: node("Resize", "x s", "y", mode="nearest"),
    }.get(opset, node("Resize", "x roi s", "y", mode="linear"))
    if opset > 10:
        constants["roi"] = np.zeros(0, np.float32)
    file = model([resample], {"x": [1, 2, 4, 3]}, ["y"], constants, opset)
    check(file, {"x": random(1, 2, 4, 3)})


@pytest.mark.parametrize("order", ["xah", "hxa", "ahx"])
def test_gelu_out_of_its_parts_is_one_node(order: str) -> None:
    products = {
        "xah": [node("Mul", "x a", "m"), node("Mul", "m half", "y")],
        "hxa": [node("Mul", "x half", "m"), node("Mul", "m a", "y")],
        "ahx": [node("Mul", "a half", "m"), node("Mul", "x m", "y")],
    }[order]
    nodes = [
        node("Div", "x root", "d"), node("Erf", "d", "e"), node("Add", "e one", "a"), *products
    ]  # fmt: skip
    constants = {"root": np.float32(2**0.5), "one": np.float32(1), "half": np.float32(0.5)}
    imported = check(model(nodes, {"x": [2, 7]}, ["y"], constants), {"x": random(2, 7)})
    assert [entry.op.kind for entry in imported.graph.nodes] == ["gelu"]


def test_an_erf_that_is_no_gelu_is_unsupported() -> None:
    with pytest.raises(UnsupportedOperatorError, match="Erf"):
        load_onnx(model([node("Erf", "x", "y")], {"x": [1, 3]}, ["y"]))


def test_all_unsupported_operators_are_named_at_once() -> None:
    nodes = [
        helper.make_node("CumSum", ["x", "axis"], ["a"], name="sums"),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Fancy", ["b"], ["y"], name="fancy", domain="acme"),
    ]
    file = model(nodes, {"x": [1, 3]}, ["y"], {"axis": np.array(1)})
    with pytest.raises(UnsupportedOperatorError) as caught:
        load_onnx(file)
    assert [entry[:2] for entry in caught.value.operators] == [
        ("CumSum", "sums"), ("acme.Fancy", "fancy")
    ]  # fmt: skip


def test_all_unsupported_uses_of_operators_are_named_at_once() -> None:
    nodes = [
        node("Pad", "x p", "a", mode="wrap"),
        node("Relu", "a", "b"),
        node("MaxPool", "x", "c places", kernel_shape=[2]),
        node("Add", "b b", "d"),
    ]
    file = model(
        nodes, {"x": [1, 2, 5]}, ["d", "c", "places"], {"p": np.array([0, 0, 1, 0, 0, 1])}, 19
    )
    with pytest.raises(UnsupportedOperatorError) as caught:
        load_onnx(file)
    assert {entry[0] for entry in caught.value.operators} == {"Pad", "MaxPool"}


def test_local_functions_are_inlined() -> None:
    function = helper.make_function(
        "local", "Twice", ["a"], ["b"], [node("Add", "a a", "b")], [helper.make_opsetid("", 17)]
    )
    call = helper.make_node("Twice", ["x"], ["y"], domain="local")
    file = model([call], {"x": [1, 4]}, ["y"])
    file.functions.append(function)
    check(file, {"x": random(1, 4)})


def test_a_function_that_calls_itself_is_refused() -> None:
    call = helper.make_node("Loop", ["a"], ["b"], domain="local")
    function = helper.make_function(
        "local", "Loop", ["a"], ["b"], [call], [helper.make_opsetid("", 17)]
    )
    file = model([helper.make_node("Loop", ["x"], ["y"], domain="local")], {"x": [1, 4]}, ["y"])
    file.functions.append(function)
    with pytest.raises(ModelError, match="calls itself"):
        load_onnx(file)


def test_functions_that_blow_up_are_refused() -> None:
    file = model([helper.make_node("F0", ["x"], ["y"], domain="local")], {"x": [1, 4]}, ["y"])
    for level in range(12):
        inner = {"domain": "local"} if level < 11 else {}
        kind = f"F{level + 1}" if level < 11 else "Relu"
        calls = [helper.make_node(kind, [f"v{i}"], [f"v{i + 1}"], **inner) for i in range(10)]
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
        file.functions.append(
            helper.make_function("local", f"F{level}", ["v0"], ["v10"], calls, opsets)
        )
    with pytest.raises(ModelError, match="nodes"):
        load_onnx(file)


def save_external(folder: Path, location: str) -> Path:
    """A model whose weights lie in another file."""
    weights = random(2, 5)
    (folder / "weights.bin").write_bytes(b"pad " + weights.tobytes())
    file = model([node("Gemm", "x w", "y", transB=1)], {"x": [1, 5]}, ["y"], {"w": weights})
    (tensor,) = file.graph.initializer
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "4"), ("length", "40")):
        tensor.external_data.add(key=key, value=value)
    path = folder / "model.onnx"
    path.write_bytes(file.SerializeToString())
    return path


def test_weights_beside_the_model_are_read(tmp_path: Path) -> None:
    graph = load(save_external(tmp_path, "weights.bin"))
    np.testing.assert_array_equal(graph.tensors["w"].data, random(2, 5))


@pytest.mark.parametrize(
    "location", ["../weights.bin", "/etc/hostname", "", "a/../../w", "link.bin"]
)
def test_nothing_outside_the_folder_is_read(tmp_path: Path, location: str) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "weights.bin").write_bytes(bytes(64))
    path = save_external(inside, location)
    (inside / "link.bin").symlink_to(tmp_path / "weights.bin")
    with pytest.raises(ModelError, match="outside its folder"):
        load(path)


def test_external_data_must_be_long_enough(tmp_path: Path) -> None:
    path = save_external(tmp_path, "weights.bin")
    (tmp_path / "weights.bin").write_bytes(b"short")
    with pytest.raises(ModelError, match="shorter"):
        load(path)


def hostile_files():
    """Name -> (file, what the error says)."""
    relu = node("Relu", "x", "y")
    wrong = model([relu], {"x": [1, 4]}, ["y"], {"w": np.zeros(4, np.float32)})
    wrong.graph.initializer[0].dims[0] = 1 << 40
    negative = model([relu], {"x": [1, 4]}, ["y"], {"w": np.zeros(4, np.float32)})
    negative.graph.initializer[0].dims[0] = -4
    nan = model(
        [node("Add", "x w", "y")], {"x": [1, 2]}, ["y"], {"w": np.array([1, np.nan], np.float32)}
    )
    huge = {"shape": np.array([1 << 20, 1 << 20, 1 << 20])}
    old = model([relu], {"x": [1, 4]}, ["y"], opset=6)
    return {
        "no graph": (onnx.ModelProto(), "no graph"),
        "absurd weights": (wrong, "shape"),
        "negative extent": (negative, "shape"),
        "not a number": (nan, "NaN"),
        "missing weights": (model([node("Add", "x w", "y")], {"x": [1, 4]}, ["y"]), "'w'"),
        "no producer": (model([relu], {"x": [1, 4]}, ["z"]), "'z'"),
        "twice": (model([relu, relu], {"x": [1, 4]}, ["y"]), "second time"),
        "huge input": (model([relu], {"x": [1, 1 << 40]}, ["y"]), "elements"),
        "huge expansion": (
            model([node("Expand", "x shape", "y")], {"x": [1, 1, 1]}, ["y"], huge), "elements"
        ),
        "huge constant": (
            model(
                [node("ConstantOfShape", "shape", "c"), node("Add", "x c", "y")],
                {"x": [1, 4]}, ["y"], huge,
            ),
            "constants only",
        ),
        "endless range": (
            model(
                [
                    node("Range", "a b c", "r"), node("Cast", "r", "f", to=1),
                    node("Add", "x f", "y"),
                ],
                {"x": [1, 4]}, ["y"],
                {"a": np.array(0), "b": np.array(1 << 50), "c": np.array(1)},
            ),
            "constants only",
        ),
        "old": (old, "opset 6"),
        "wrong type of attribute": (
            model([helper.make_node("Flatten", ["x"], ["y"], axis="three")], {"x": [1, 4]}, ["y"]),
            "inconsistent",
        ),
        "huge pads": (
            model(
                [node("Pad", "x p", "y")], {"x": [1, 4]}, ["y"],
                {"p": np.array([0, 0, 0, 1 << 40])},
            ),
            "elements",
        ),
    }  # fmt: skip


@pytest.mark.parametrize("name", hostile_files())
def test_a_hostile_file_gets_one_clear_error(name: str) -> None:
    file, text = hostile_files()[name]
    with pytest.raises(NetsukeError, match=text):
        load_onnx(file.SerializeToString())


def test_a_truncated_file_is_a_model_error(tmp_path: Path) -> None:
    data = conv_net().SerializeToString()
    for length in (1, 10, len(data) // 2, len(data) - 1):
        path = tmp_path / f"{length}.onnx"
        path.write_bytes(data[:length])
        with pytest.raises(ModelError, match=f"{length}.onnx"):
            load(path)


def test_what_computes_nothing_is_computed_while_reading() -> None:
    nodes = [
        node("Mul", "w half", "scaled"),
        node("Transpose", "scaled", "turned", perm=[1, 0]),
        node("MatMul", "x turned", "y"),
    ]
    constants = {"w": random(3, 5), "half": np.float32(0.5)}
    imported = check(model(nodes, {"x": [2, 5]}, ["y"], constants), {"x": random(2, 5)})
    assert [entry.op.kind for entry in imported.graph.nodes] == ["dense"]


def test_the_supported_operators_are_listed() -> None:
    names = supported_operators()
    assert {"Conv", "QLinearConv", "com.microsoft.QGemm", "LSTM", "Resize"} <= set(names)
    assert list(names) == sorted(names)


def test_an_output_that_is_an_input_is_copied() -> None:
    nodes = [node("Identity", "x", "y"), node("Relu", "x", "z")]
    graph = load_onnx(model(nodes, {"x": [1, 3]}, ["y", "z"]))
    assert graph.outputs == ("y", "z")


def torch_networks():
    torch = pytest.importorskip("torch", reason="left out: PyTorch is not installed")
    nn = torch.nn

    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = nn.Conv2d(3, 8, 3, 2, 1, bias=False)
            self.b = nn.BatchNorm2d(8)
            self.c = nn.Sequential(
                nn.Conv2d(8, 8, 3, 1, 1, groups=8), nn.Hardswish(), nn.Conv2d(8, 8, 1)
            )
            self.d = nn.Linear(8, 4)

        def forward(self, x):
            x = torch.relu(self.b(self.a(x)))
            x = x + self.c(x)
            return self.d(x.mean((2, 3)))

    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = nn.Conv1d(2, 4, 3, padding=1)
            self.b = nn.LSTM(4, 3, batch_first=True, bidirectional=True)
            self.c = nn.GRU(6, 5, batch_first=True)

        def forward(self, x):
            y, _ = self.b(self.a(x).transpose(1, 2))
            _, h = self.c(y)
            return torch.sigmoid(h[0])

    class Shuffle(nn.Module):
        def forward(self, x):
            a, b = x.chunk(2, 1)
            y = torch.cat([b, nn.functional.interpolate(a, scale_factor=1.0)], 1)
            n, c, h, w = y.shape
            y = y.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)
            return nn.functional.pad(y, (1, 1, 0, 2))[:, :, 1:, ::2].flatten(1)

    return torch, {
        "residual": (Residual(), (1, 3, 9, 9)),
        "recurrent": (Recurrent(), (1, 2, 12)),
        "shuffle": (Shuffle(), (1, 8, 5, 6)),
    }


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("opset", [11, 17])
@pytest.mark.parametrize("name", ["residual", "recurrent", "shuffle"])
def test_what_pytorch_exports_means_the_same(name: str, opset: int, tmp_path: Path) -> None:
    torch, networks = torch_networks()
    torch.manual_seed(0)
    network, shape = networks[name]
    if name == "residual" and opset < 14:
        network.c[1] = torch.nn.ReLU6()  # hard-swish came with opset 14
    path = tmp_path / "net.onnx"
    x = torch.randn(shape)
    torch.onnx.export(
        network.eval(), (x,), str(path), dynamo=False, opset_version=opset, input_names=["x"],
        dynamic_axes={"x": {0: "batch"}},
    )  # fmt: skip
    imported = import_model(path)
    feeds = {"x": np.concatenate([x.numpy(), random(*shape)])}
    expected = run_oracle(path.read_bytes(), feeds)
    for got, wanted in zip(run_graph(imported, feeds), expected, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-4)
    optimized = optimize(imported.graph)
    moved = [entry for entry in optimized.nodes if entry.op.kind == "transpose"]
    assert len(moved) <= 1, [entry.name for entry in moved]


def test_a_branch_with_a_known_condition_is_taken() -> None:
    """PyTorch's exporter writes a squeeze of an axis of unknown extent like this."""
    squeeze = helper.make_graph(
        [node("Squeeze", "x axes", "inner")],
        "then",
        [],
        [helper.make_empty_tensor_value_info("inner")],
    )
    keep = helper.make_graph(
        [node("Identity", "x", "other")], "else", [], [helper.make_empty_tensor_value_info("other")]
    )
    nodes = [
        node("Shape", "x", "s"),
        node("Gather", "s one", "extent", axis=0),
        node("Equal", "extent one", "c"),
        node("If", "c", "b", then_branch=squeeze, else_branch=keep),
        node("Relu", "b", "y"),
    ]
    constants = {"axes": np.array([1]), "one": np.array(1)}
    imported = check(model(nodes, {"x": [2, 1, 5]}, ["y"], constants), {"x": random(2, 1, 5)})
    assert imported.graph.tensors["y"].shape == (5,)


def test_a_branch_that_depends_on_data_is_unsupported() -> None:
    branch = helper.make_graph(
        [node("Relu", "x", "inner")], "then", [], [helper.make_empty_tensor_value_info("inner")]
    )
    nodes = [
        node("ReduceMax", "x", "m", keepdims=0),
        node("Cast", "m", "c", to=9),
        node("If", "c", "y", then_branch=branch, else_branch=branch),
    ]
    with pytest.raises(UnsupportedOperatorError, match="casts float32"):
        load_onnx(model(nodes, {"x": [1, 5]}, ["y"]))


def test_integers_are_no_numbers_to_compute_with() -> None:
    file = model([node("Add", "x x", "y")], {"x": [1, 5]}, ["y"], dtypes={"x": "int32"})
    with pytest.raises(UnsupportedOperatorError, match="computes on int32"):
        load_onnx(file)


def test_typed_and_packed_weights_are_read() -> None:
    file = model([node("Gemm", "x w", "y")], {"x": [1, 2]}, ["y"])
    file.graph.initializer.append(helper.make_tensor("w", 1, [2, 2], [1.0, 2.0, 3.0, 4.0]))
    np.testing.assert_array_equal(load_onnx(file).tensors["w"].data, [[1, 3], [2, 4]])
    half = model([node("Gemm", "x w", "y")], {"x": [1, 2]}, ["y"])
    half.graph.initializer.append(numpy_helper.from_array(np.ones((2, 2), np.float16), "w"))
    assert load_onnx(half).tensors["w"].dtype == "float32"
