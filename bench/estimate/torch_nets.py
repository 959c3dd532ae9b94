"""Networks as plain PyTorch modules, for machines on which netsuke is not installed.

A name is ``family?key=value``: ``mnist_cnn``, ``resnet8?size=32``,
``mobilenet_v1?width=0.5&size=96``, ``mobilenet_v2?...``, ``squeezenet?size=96``.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


def conv(inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Convolution without bias, batch normalization, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


class Residual(nn.Module):
    """x (or its projection) + body(x), then perhaps ReLU."""

    def __init__(self, body: nn.Module, skip: nn.Module, relu: bool) -> None:
        super().__init__()
        self.body, self.skip, self.relu = body, skip, relu

    def forward(self, x: Any) -> Any:
        y = self.skip(x) + self.body(x)
        return torch.relu(y) if self.relu else y


class Fire(nn.Module):
    """Squeeze to few channels, expand by 1 x 1 and 3 x 3 (arXiv:1602.07360)."""

    def __init__(self, inputs: int, squeeze: int, expand: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeeze, 1)
        self.one = nn.Conv2d(squeeze, expand, 1)
        self.three = nn.Conv2d(squeeze, expand, 3, padding=1)

    def forward(self, x: Any) -> Any:
        x = torch.relu(self.squeeze(x))
        return torch.cat([torch.relu(self.one(x)), torch.relu(self.three(x))], 1)


def head(channels: int, classes: int) -> list[nn.Module]:
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes)]


def mnist_cnn(size: int = 28, classes: int = 10, same: int = 0) -> nn.Module:
    """Two 5 x 5 convolutions and two dense layers; `same`: padded to the input's size."""
    pad = 2 if same else 0
    side = (size if same else size - 4) // 2
    side = (side if same else side - 4) // 2
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 5, padding=pad), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 5, padding=pad), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(64 * side * side, 512), nn.ReLU(), nn.Linear(512, classes)),
    )


def resnet8(size: int = 32, classes: int = 10) -> nn.Module:
    """Three residual blocks of 16, 32 and 64 channels."""
    layers: list[nn.Module] = [conv(3, 16, 3)]
    inputs = 16
    for outputs, stride in ((16, 1), (32, 2), (64, 2)):
        body = nn.Sequential(
            conv(inputs, outputs, 3, stride),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        skip = nn.Identity() if stride == 1 else nn.Conv2d(inputs, outputs, 1, stride)
        layers.append(Residual(body, skip, relu=True))
        inputs = outputs
    return nn.Sequential(*layers, *head(64, classes))


def mobilenet_v1(width: float = 1.0, size: int = 96, classes: int = 10) -> nn.Module:
    """Thirteen depthwise separable blocks (arXiv:1704.04861)."""
    inputs = round(32 * width)
    layers: list[nn.Module] = [conv(3, inputs, 3, 2)]
    strides = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
    widths = (64, 128, 128, 256, 256, *[512] * 6, 1024, 1024)
    for channels, stride in zip(widths, strides, strict=True):
        outputs = round(channels * width)
        layers += [conv(inputs, inputs, 3, stride, inputs), conv(inputs, outputs, 1)]
        inputs = outputs
    return nn.Sequential(*layers, *head(inputs, classes))


V2_BLOCKS = (
    *((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)),
    *((6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)),
)
"""(expansion, channels, count, first stride): arXiv:1801.04381, table 2."""


def mobilenet_v2(width: float = 1.0, size: int = 96, classes: int = 10) -> nn.Module:
    """Inverted residuals."""
    inputs = round(32 * width)
    layers: list[nn.Module] = [conv(3, inputs, 3, 2)]
    for expansion, channels, count, first in V2_BLOCKS:
        for number in range(count):
            outputs, stride = max(4, round(channels * width)), first if number == 0 else 1
            middle = inputs * expansion
            body = nn.Sequential(
                conv(inputs, middle, 1) if expansion > 1 else nn.Identity(),
                conv(middle, middle, 3, stride, middle),
                nn.Conv2d(middle, outputs, 1, bias=False),
                nn.BatchNorm2d(outputs),
            )
            joined = stride == 1 and inputs == outputs
            layers.append(Residual(body, nn.Identity(), relu=False) if joined else body)
            inputs = outputs
    return nn.Sequential(*layers, conv(inputs, 1280, 1), *head(1280, classes))


def squeezenet(size: int = 96, classes: int = 10) -> nn.Module:
    """SqueezeNet 1.1."""
    layers: list[nn.Module] = [nn.Conv2d(3, 64, 3, 2), nn.ReLU(), nn.MaxPool2d(3, 2)]
    layers += [Fire(64, 16, 64), Fire(128, 16, 64), nn.MaxPool2d(3, 2)]
    layers += [Fire(128, 32, 128), Fire(256, 32, 128), nn.MaxPool2d(3, 2)]
    layers += [Fire(256, 48, 192), Fire(384, 48, 192), Fire(384, 64, 256), Fire(512, 64, 256)]
    layers += [nn.Conv2d(512, classes, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers)


FAMILIES = {f.__name__: f for f in (mnist_cnn, resnet8, mobilenet_v1, mobilenet_v2, squeezenet)}


def network(name: str) -> nn.Module:
    """The module of a name."""
    family, _, options = name.partition("?")
    pairs = (pair.split("=") for pair in options.split("&") if pair)
    chosen = {key: float(value) if "." in value else int(value) for key, value in pairs}
    torch.manual_seed(0)
    module: nn.Module = FAMILIES[family](**chosen)
    return module


def train_step(module: nn.Module, optimizer: Any, x: Any, y: Any) -> None:
    """One step of stochastic gradient descent on cross entropy."""
    module.train()
    optimizer.zero_grad(set_to_none=True)
    nn.functional.cross_entropy(module(x), y).backward()
    optimizer.step()
