"""Every network of the zoo at a width and a resolution at which a test can run it."""

from __future__ import annotations

SMALL = {
    "alexnet": "width=0.04&size=63",
    "densenet121": "growth=4&size=32",
    "ds_cnn": "width=0.25",
    "googlenet": "width=0.06&size=32",
    "lenet": "width=0.25",
    "lenet5": "width=0.25&size=16",
    "lenet_300_100": "width=0.1",
    "mnist_cnn": "width=0.1",
    "mobilenet_v1": "width=0.1&size=32",
    "mobilenet_v2": "width=0.1&size=32&last=64",
    "mobilenet_v3_large": "width=0.1&size=32",
    "mobilenet_v3_small": "width=0.1&size=32",
    "resnet8": "width=0.25&size=16",
    "resnet18": "width=0.06&size=32",
    "resnet20": "width=0.25&size=8",
    "shufflenet_v1": "width=0.1&size=32&groups=3",
    "shufflenet_v2": "width=0.1&size=32",
    "squeezenet": "width=0.1&size=32",
    "vgg16": "width=0.04&size=32",
}
"""Name -> options."""


def small_spec(name: str, more: str = "") -> str:
    """A text that builds the small form of a network."""
    return f"{name}?{SMALL[name]}&classes=7{more}"
