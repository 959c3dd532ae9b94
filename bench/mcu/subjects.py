"""What `run.py` compiles: the four MLPerf Tiny networks, and a board for each core."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

import netsuke
from netsuke.compress.quantize import quantize
from netsuke.devices import Device
from netsuke.devices import device as find
from netsuke.ir import Graph
from netsuke.models.layers import Layers
from netsuke.passes import optimize

FILES = {
    "keywords": "kws_ref_model.tflite",
    "images": "pretrainedResnet_quant.tflite",
    "wake_words": "vww_96_int8.tflite",
}
MODELS = (
    "anomalies",
    "keywords",
    "keywords_35K",
    "images",
    "images_33K",
    "images_20K",
    "images_fast",
    "wake_words",
    "wake_words_37K",
    "wake_words_32K",
)
"""``_fast`` has all of the board's flash to spend on speed, the others the limits of `LIMITS`."""
LIMITS = {
    "keywords_35K": {"ram": 9_000, "flash": 35_000},
    "images_33K": {"ram": 33_000},
    "images_20K": {"ram": 20_000},
    "wake_words_37K": {"ram": 37_000},
    "wake_words_32K": {"ram": 32_000},
}
"""Bytes that a plan may take where a name ends in its limit; set for cores with DSP."""
LIMITED = ("cortex-m4", "cortex-m7")
"""Cores whose plans are usually shown within `LIMITS` too."""
WIDTHS = (128, 128, 128, 128, 8, 128, 128, 128, 128, 640)
"""Units of the autoencoder, whose official file cannot be had here: an equal one from a seed."""

BOARDS = {
    "cortex-m4": "nucleo-f446re",
    "cortex-m7": "nucleo-h743zi",
    "cortex-m55": "corstone-300",
    "cortex-m0plus": "rpi-pico",
    "cortex-m33": "b-u585i-iot02a",
    "cortex-m3": "nucleo-f446re",
    "rv32": "esp32-p4",
}
USUAL = ("cortex-m4", "cortex-m7", "cortex-m55", "cortex-m0plus")
FLASHES = {"cortex-m4": "nucleo-l4r5zi", "cortex-m0plus": "nucleo-g0b1re"}
"""Boards of the published times, where they are not ours: their flash is modelled."""


def data_folder() -> Path:
    """The folder of real data and models."""
    beside = Path(__file__).parents[2].parent / "shared" / "data"
    return Path(os.environ.get("NETSUKE_DATA") or beside)


def board(core: str) -> Device:
    """The board that stands for a core; a Cortex-M3 is a Cortex-M4 without its extensions."""
    found = find(BOARDS[core])
    return replace(found, core=core, isa=frozenset({"thumb2"})) if core != found.core else found


def graph(model: str) -> Graph:
    """The int8 graph of a model."""
    if model == "anomalies":
        return autoencoder()
    return netsuke.load(data_folder() / "mlperf_tiny" / FILES[network(model)])


def network(model: str) -> str:
    """The network behind a model: the peers' name of it."""
    known = (name for name in ("anomalies", *FILES) if model.startswith(name))
    return next(known, model)


def models(core: str) -> tuple[str, ...]:
    """The models that are usually shown for a core."""
    return tuple(name for name in MODELS if core in LIMITED or name not in LIMITS)


def limits(model: str, board: Device) -> dict[str, int | None]:
    """Bytes of RAM and of flash that a plan may take: arguments of `compile_graph`."""
    if model.endswith("_fast"):
        return {"flash": board.flash}
    return dict(LIMITS.get(model, {}))


def autoencoder() -> Graph:
    """640-128-128-128-128-8-128-128-128-128-640, dense and ReLU, int8 with one scale a layer."""
    layers = Layers("anomalies", 0)
    x = layers.builder.input("x", (640,))
    for units in WIDTHS[:-1]:
        x = layers.relu(layers.dense(x, units))
    network = layers.builder.build([layers.dense(x, WIDTHS[-1], gain=1.0)])
    samples = np.random.default_rng(0).standard_normal((64, 640)).astype(np.float32)
    return quantize(optimize(network), [samples], per_channel=False)
