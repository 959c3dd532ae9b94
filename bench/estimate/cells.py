"""The cells: which network runs in which runtime, with which batch; and which of them calibrate.

The rule is fixed before anything is measured, and it goes by family: whatever is a MobileNet V1 or
a ResNet-8 calibrates, whatever is of another family only validates. No constant of the estimator
may be changed by looking at a validation cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

CALIBRATING = ("mobilenet_v1", "resnet8")
"""Families whose cells calibrate."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One run in a fresh process.

    Attributes
    ----------
    runtime
        ``onnxruntime``, ``litert`` or ``torch``.
    model
        Name of a network, or a file of the data folder.
    batch, phase
        Samples at once; ``infer``, ``evaluate`` or ``train``.
    int8
        Whether the network is quantized first.
    arena, level
        Switches of ONNX Runtime: its memory arena, its level of graph optimization.
    """

    runtime: str
    model: str
    batch: int = 1
    phase: str = "infer"
    int8: bool = False
    arena: bool = True
    level: str = "ALL"

    @property
    def family(self) -> str:
        name = self.model.partition("?")[0]
        if name.startswith("mlperf_tiny/"):
            return {"vww": "mobilenet_v1", "pre": "resnet8", "kws": "ds_cnn"}[name[12:15]]
        return name

    @property
    def calibrates(self) -> bool:
        return self.family in CALIBRATING

    @property
    def id(self) -> str:
        marks = [f"b{self.batch}", self.phase]
        marks += ["int8"] * self.int8 + ["no-arena"] * (not self.arena)
        marks += [self.level] * (self.level != "ALL")
        return f"{self.runtime} {self.model} {' '.join(marks)}"

    def record(self) -> dict[str, Any]:
        return {
            **{"id": self.id, "runtime": self.runtime, "model": self.model, "batch": self.batch},
            **{"phase": self.phase, "int8": self.int8, "arena": self.arena, "level": self.level},
            "threads": 1,
        }


def _ort(model: str, *batches: int, **options: Any) -> list[Cell]:
    return [Cell("onnxruntime", model, batch, **options) for batch in batches]


def _litert(model: str, *batches: int, **options: Any) -> list[Cell]:
    return [Cell("litert", model, batch, **options) for batch in batches]


def _torch(model: str, batch: int, phase: str) -> Cell:
    return Cell("torch", model, batch, phase)


V1 = "mobilenet_v1?width={}&size={}&classes={}"
V2 = "mobilenet_v2?width={}&size={}&classes={}"
DENSE = "densenet121?growth={}&size={}&classes=10"
SQUEEZE = "squeezenet?size={}&classes={}"

CELLS: tuple[Cell, ...] = (
    *_ort(V1.format(0.25, 96, 2), 1, 32),
    *_ort(V1.format(1.0, 96, 2), 1, 4),
    *_ort(V1.format(2.0, 64, 10), 1),
    *_ort("resnet8", 1, 16),
    *_ort(V1.format(1.0, 96, 2), 4, arena=False),
    *_ort(V1.format(1.0, 96, 2), 2, int8=True),
    *_ort("resnet8", 8, int8=True),
    *_litert(V1.format(0.25, 96, 2), 1, 32),
    *_litert(V1.format(1.0, 96, 2), 1, 4),
    *_litert(V1.format(2.0, 64, 10), 1),
    *_litert("resnet8", 16),
    *_litert(V1.format(1.0, 96, 2), 4, int8=True),
    *_litert("mlperf_tiny/vww_96_int8.tflite", 1),
    _torch("resnet8", 16, "train"),
    _torch(V1.format(1.0, 96, 10), 2, "infer"),
    _torch(V1.format(0.5, 96, 10), 8, "train"),
    # From here on: validation.
    *_ort(V2.format(0.35, 96, 10), 1, 8, 32),
    *_ort(V2.format(1.0, 96, 10), 1, 4),
    *_ort(V2.format(1.0, 224, 1000), 1, 2),
    *_ort(V2.format(0.5, 160, 10), 4),
    *_litert(V2.format(0.35, 96, 10), 1, 8, 32),
    *_litert(V2.format(1.0, 96, 10), 1, 4),
    *_litert(V2.format(1.0, 224, 1000), 1),
    _torch("mnist_cnn", 32, "train"),
    _torch("mnist_cnn", 128, "evaluate"),
    *_ort(SQUEEZE.format(96, 10), 1, 4),
    *_ort(SQUEEZE.format(224, 1000), 1),
    *_ort(DENSE.format(12, 64), 1, 4, 16),
    *_ort(DENSE.format(32, 64), 1, 2),
    *_litert(SQUEEZE.format(96, 10), 1, 8),
    *_litert(SQUEEZE.format(224, 1000), 1),
    *_litert(DENSE.format(12, 64), 1, 8),
    *_ort("ds_cnn", 32),
    *_ort("lenet", 16),
    _torch(V2.format(0.5, 96, 10), 4, "train"),
    _torch(V2.format(1.0, 160, 10), 2, "infer"),
    *_litert("ds_cnn", 16),
    *_litert("mlperf_tiny/kws_ref_model.tflite", 1),
    *_litert("mlperf_tiny/kws_ref_model_float32.tflite", 1),
    *_ort(V2.format(1.0, 96, 10), 2, int8=True),
    *_litert(V2.format(1.0, 96, 10), 2, int8=True),
    *_ort(V2.format(1.0, 96, 10), 4, arena=False),
    *_litert(SQUEEZE.format(96, 10), 4, int8=True),
    *_ort(SQUEEZE.format(96, 10), 4, int8=True),
    _torch(SQUEEZE.format(96, 10), 8, "train"),
    _torch(SQUEEZE.format(96, 10), 16, "evaluate"),
    # Named after all above but PyTorch's had been measured: families decide as before. The integer
    # cells in ONNX Runtime check a repair that was made after the worst cell above was seen.
    _torch("resnet8", 64, "evaluate"),
    _torch(V1.format(0.5, 128, 10), 8, "infer"),
    _torch("resnet8", 4, "train"),
    *_ort(SQUEEZE.format(128, 10), 2, int8=True),
    *_ort(DENSE.format(12, 64), 4, int8=True),
    _torch(V2.format(0.35, 96, 10), 16, "train"),
    *_ort(V2.format(0.5, 160, 10), 4, int8=True),
    _torch("mnist_cnn", 1000, "evaluate"),
    _torch("mnist_cnn?size=28&same=1", 64, "train"),
    *_ort("ds_cnn", 32, int8=True),
    _torch(SQUEEZE.format(224, 1000), 1, "infer"),
    *_ort("resnet18?size=64&classes=10", 2),
    *_ort("resnet18?size=64&classes=10", 8, int8=True),
    _torch(V1.format(0.25, 96, 10), 32, "train"),
)
"""In the order in which they run, those that calibrate first."""
