"""PyTorch modules as graphs compute what the modules compute, and keep their names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from netsuke.errors import ModelError, UnsupportedOperatorError, UsageError
from netsuke.frontend.torch import from_module, load_pt2
from netsuke.frontend.torch.importer import import_module
from netsuke.ir import Graph, interpret

torch = pytest.importorskip("torch", reason="left out: PyTorch is not installed")
nn = torch.nn
functional = torch.nn.functional

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")


class MobileBlock(nn.Module):
    """An inverted residual block, as in MobileNet V2."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU6()
        )
        self.widen = nn.Sequential(nn.Conv2d(8, 24, 1), nn.BatchNorm2d(24), nn.Hardswish())
        self.depth = nn.Sequential(nn.Conv2d(24, 24, 3, 1, 1, groups=24), nn.SiLU())
        self.narrow = nn.Conv2d(24, 8, 1)
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        x = self.first(x)
        x = x + self.narrow(self.depth(self.widen(x)))
        x = functional.adaptive_avg_pool2d(x, 1).flatten(1)
        return self.head(functional.dropout(x, 0.5, self.training))


class Shuffle(nn.Module):
    """A unit with channel split and shuffle, as in ShuffleNet V2."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding="same", dilation=2, groups=2)
        self.slope = nn.PReLU(8)

    def forward(self, x):
        a, b = x.chunk(2, dim=1)
        y = torch.cat([a, functional.leaky_relu(self.conv(b), 0.2)], 1)
        n, c, h, w = y.shape
        y = y.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)
        return self.slope(y)[:, 1:-1:2, :, 1:]


class Sequence(nn.Module):
    """Convolution along time, two recurrent layers, a classifier of the last step."""

    def __init__(self, kind: type) -> None:
        super().__init__()
        self.conv = nn.Conv1d(3, 6, 5, stride=2, padding=2)
        self.cells = kind(6, 4, num_layers=2, bidirectional=True, batch_first=True)
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        y = torch.relu(self.conv(x)).transpose(1, 2)
        y, _ = self.cells(y)
        return functional.log_softmax(self.head(y[:, -1]), dim=-1)


class TimeFirst(nn.Module):
    """A recurrent network whose batch axis is the second one."""

    def __init__(self) -> None:
        super().__init__()
        self.cells = nn.GRU(3, 4)

    def forward(self, x):
        y, h = self.cells(x)
        return y * 2 - 1, h


class Decoder(nn.Module):
    """Transposed convolution, resizing, padding, pooling with odd rounding."""

    def __init__(self) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2)

    def forward(self, x):
        y = torch.tanh(self.up(x))
        y = functional.interpolate(y, scale_factor=2, mode="bilinear", align_corners=False)
        y = functional.pad(y, (1, 2, 0, 1), mode="reflect")
        y = functional.avg_pool2d(y, 3, 2, 1, ceil_mode=True)
        y = functional.max_pool2d(y, 2, 2, ceil_mode=True)
        return functional.interpolate(y, size=(9, 7), mode="nearest")


class Attention(nn.Module):
    """One head of attention with layer normalization and a gelu."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(8)
        self.qkv = nn.Linear(8, 24)
        self.out = nn.Linear(8, 8)

    def forward(self, x):
        q, k, v = self.qkv(self.norm(x)).split(8, dim=-1)
        weights = torch.softmax(q @ k.transpose(1, 2) / 8**0.5, dim=-1)
        y = x + self.out(weights @ v)
        return functional.gelu(y).amax(1), y.pow(2).mean(dim=(1, 2)).rsqrt()


CASES = {
    "mobile block": (MobileBlock(), (2, 3, 16, 16)),
    "shuffle": (Shuffle(), (2, 8, 6, 6)),
    "lstm": (Sequence(nn.LSTM), (2, 3, 20)),
    "gru": (Sequence(nn.GRU), (2, 3, 20)),
    "decoder": (Decoder(), (2, 4, 7, 5)),
    "attention": (Attention(), (2, 6, 8)),
    "time first": (TimeFirst(), (5, 2, 3)),
}


def randomized(module):
    """The module with every parameter and statistic away from its initial value."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if tensor.is_floating_point():
                noise = torch.rand(tensor.shape, generator=generator) - 0.5
                tensor.copy_(noise.abs() + 0.5 if name.endswith("running_var") else noise)
    return module.eval()


@pytest.mark.parametrize("name", CASES)
def test_a_module_keeps_its_meaning(name: str) -> None:
    module, shape = CASES[name]
    x = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    imported = import_module(randomized(module), x)
    with torch.no_grad():
        expected = module(x)
    expected = expected if isinstance(expected, tuple) else (expected,)
    (axis,) = imported.inputs
    rows = [
        interpret(imported.graph, {imported.graph.inputs[0]: sample.numpy()})
        for sample in x.unbind(axis)
    ]
    for output, place, value in zip(
        imported.graph.outputs, imported.outputs, expected, strict=True
    ):
        actual = np.stack([row[output] for row in rows], place)
        np.testing.assert_allclose(actual, value.numpy(), rtol=1e-4, atol=1e-4)


class Formula(nn.Module):
    """A function of x, and of a layer if there is one."""

    def __init__(self, function, *layers) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.function = function

    def forward(self, x):
        return self.function(x, *self.layers)


IMAGE, ROW, STEPS = (2, 4, 8, 6), (2, 12), (2, 5, 8)
FORMULAS = {
    "groups": (IMAGE, nn.GroupNorm(2, 4)),
    "instances": (IMAGE, nn.InstanceNorm2d(4)),
    "batch norm of rows": (ROW, nn.BatchNorm1d(12)),
    "adaptive maximum": (IMAGE, nn.AdaptiveMaxPool2d((4, 2))),
    "dilated maximum": (IMAGE, nn.MaxPool2d(2, 1, 0, 2)),
    "average without padding": (IMAGE, nn.AvgPool2d(3, 2, 1, count_include_pad=False)),
    "softmax of channels": (IMAGE, nn.Softmax(1)),
    "corners": (IMAGE, nn.Upsample(size=(5, 9), mode="bilinear", align_corners=True)),
    "pixels": (IMAGE, nn.Sequential(nn.PixelUnshuffle(2), nn.ChannelShuffle(4),
                                    nn.PixelShuffle(2))),
    "borders": (IMAGE, nn.Sequential(nn.ReflectionPad2d(2), nn.ConstantPad2d((1, 0, -1, 2), 3.5))),
    "attention": (STEPS, Formula(lambda x, m: m(x, x, x, need_weights=False)[0],
                                 nn.MultiheadAttention(8, 2, batch_first=True))),
    "causal": (STEPS, Formula(lambda x: functional.scaled_dot_product_attention(
        x, x, x, is_causal=True))),
    "einsum": (STEPS, Formula(lambda x: torch.einsum("btc,bsc->bts", x, x))),
    "moments": (STEPS, Formula(lambda x: x.std(2) + x.var(2, unbiased=False))),
    "norm": (STEPS, Formula(lambda x: functional.normalize(x, dim=2))),
    "extremes": (IMAGE, Formula(lambda x: x.max(1).values - x.amin(1))),
    "position": (ROW, Formula(lambda x: x.argmax(1))),
    "turned": (STEPS, Formula(lambda x: torch.cat([x.flip(1), x.roll(3, 1)], 2)[:, 1:-1, ::2])),
    "pieces": (STEPS, Formula(lambda x: sum(x.unbind(1)) + torch.stack([x, x * 2], 1)[:, 1, 0])),
    "repeated": (ROW, Formula(lambda x: x.unsqueeze(1).repeat(1, 3, 1) * x.unsqueeze(1).expand(
        -1, 3, -1))),
    "arithmetic": (ROW, Formula(lambda x: 1 - x / 3 + 2 * x**3 + torch.sqrt(x.abs() + 1))),
    "activations": (ROW, nn.Sequential(nn.ELU(0.7), nn.SELU(), nn.CELU(1.3), nn.Mish(),
                                       nn.Softplus(), nn.LogSigmoid(), nn.Hardsigmoid())),
    "gates": (ROW, nn.Sequential(nn.GLU(), nn.Softsign(), nn.GELU("tanh"), nn.Hardtanh(-0.5, 0.3))),
    "cell": (ROW, Formula(lambda x, m: m(x)[0], nn.LSTMCell(12, 3))),
    "simple": (STEPS, Formula(lambda x, m: m(x)[0], nn.RNN(8, 3, batch_first=True))),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMULAS)
def test_a_layer_keeps_its_meaning(name: str) -> None:
    shape, module = FORMULAS[name]
    x = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    imported = import_module(randomized(module), x)
    with torch.no_grad():
        expected = module(x).numpy()
    (axis,), (place,) = imported.inputs, imported.outputs
    rows = [
        interpret(imported.graph, {imported.graph.inputs[0]: sample.numpy()})
        for sample in (x.unbind(axis) if axis is not None else [x])
    ]
    values = [row[imported.graph.outputs[0]] for row in rows]
    actual = values[0] if place is None else np.stack(values, place)
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-4)


def test_a_result_that_is_not_made_is_unsupported() -> None:
    with pytest.raises(UnsupportedOperatorError, match="output 1"):
        from_module(Formula(lambda x: x.max(1).indices), torch.zeros(1, 4))


def test_parameters_keep_their_names() -> None:
    graph = from_module(randomized(MobileBlock()), torch.zeros(1, 3, 16, 16))
    constants = {tensor.name for tensor in graph.constants()}
    assert {"first.0.weight", "widen.1.running_var", "head.bias"} <= constants


def test_an_example_may_be_numpy_and_the_mode_of_the_module_stays() -> None:
    module = MobileBlock().train()
    graph = from_module(module, np.zeros((1, 3, 16, 16), np.float32))
    assert isinstance(graph, Graph)
    assert module.training
    assert module.first[1].training


def test_a_module_needs_an_example() -> None:
    with pytest.raises(UsageError, match="example input"):
        from_module(MobileBlock())


def test_programs_with_an_open_batch_are_imported() -> None:
    module = randomized(Shuffle())
    batch = torch.export.Dim("batch")
    program = torch.export.export(module, (torch.zeros(2, 8, 6, 6),), dynamic_shapes=({0: batch},))
    graph = from_module(program)
    x = torch.randn(1, 8, 6, 6, generator=torch.Generator().manual_seed(5))
    (actual,) = interpret(graph, {graph.inputs[0]: x.numpy()[0]}).values()
    np.testing.assert_allclose(actual, module(x).detach().numpy()[0], rtol=1e-4, atol=1e-4)


def test_a_saved_program_equals_the_module(tmp_path: Path) -> None:
    module = randomized(MobileBlock())
    path = tmp_path / "block.pt2"
    torch.export.save(torch.export.export(module, (torch.zeros(1, 3, 16, 16),)), str(path))
    saved, direct = load_pt2(path), from_module(module, torch.zeros(1, 3, 16, 16))
    x = np.random.default_rng(0).normal(size=(3, 16, 16)).astype(np.float32)
    (left,) = interpret(saved, {saved.inputs[0]: x}).values()
    (right,) = interpret(direct, {direct.inputs[0]: x}).values()
    np.testing.assert_array_equal(left, right)


def test_a_damaged_file_is_a_model_error(tmp_path: Path) -> None:
    path = tmp_path / "broken.pt2"
    path.write_bytes(b"PK\x03\x04 this is no archive")
    with pytest.raises(ModelError, match=r"broken\.pt2"):
        load_pt2(path)


def test_all_unsupported_operators_are_named() -> None:
    class Odd(nn.Module):
        def forward(self, x):
            return torch.cumsum(x, 1) + torch.sort(x, 1).values

    with pytest.raises(UnsupportedOperatorError) as caught:
        from_module(Odd(), torch.zeros(1, 4))
    assert {operator for operator, _, _ in caught.value.operators} == {"cumsum", "sort"}


def test_what_cannot_be_exported_is_a_model_error() -> None:
    class Moody(nn.Module):
        def forward(self, x):
            return x if float(x.sum()) > 0 else -x

    with pytest.raises(ModelError, match=r"torch\.export fails"):
        from_module(Moody(), torch.zeros(1, 4))
