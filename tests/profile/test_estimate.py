"""`netsuke estimate`: what it says, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import netsuke as nk
from netsuke.cli import main
from netsuke.errors import DeviceError, MissingToolError, ModelError, UsageError
from netsuke.profile.estimate import Estimate, Part, calibration

SMALL = "lenet?size=12&width=0.25"


def process(**changes: object) -> Estimate:
    fields: dict[str, object] = {
        **{"model": "m", "runtime": "litert", "version": "1", "device": "rpi-3b", "phase": "infer"},
        **{"batch": 1, "threads": 1, "low": 90, "expected": 100, "high": 130, "exact": False},
        **{"available": 200, "parts": (Part("base", 100),), "peak_at": "load", **changes},
    }
    return Estimate(**fields)  # type: ignore[arg-type]


def test_confidence_follows_the_interval() -> None:
    assert process(available=100).confidence == pytest.approx(0.5)
    assert process(available=130).confidence == pytest.approx(0.99865, abs=1e-4)
    assert process(available=200).fits
    assert not process(available=129).fits
    assert process(exact=True, high=100, available=99).confidence == 0.0


def test_a_process_is_predicted_from_one_run_here(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("onnxruntime")
    assert main(["estimate", SMALL, "--batch", "4", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    peak = said["peak"]
    assert peak["low"] <= peak["expected"] <= peak["high"]
    assert peak["low"] > 40e6 and peak["high"] < 90e6
    assert sum(part["bytes"] for part in said["parts"]) == peak["expected"]
    assert any("energy" in entry["name"] for entry in said["resources"])
    assert all("modelled" in e["source"] for e in said["resources"] if e["unit"] in ("J", "W"))


def test_a_larger_batch_takes_more_and_too_little_memory_is_said() -> None:
    pytest.importorskip("onnxruntime")
    one, many = (nk.estimate("resnet8", batch=batch, available=70 << 20) for batch in (1, 64))
    assert many.expected > one.expected + 8_000_000
    assert one.fits and not many.fits
    assert many.confidence < 0.5


def test_generated_c_is_exact() -> None:
    made = nk.estimate(SMALL, "nucleo-f446re", "c")
    plan = nk.compile(SMALL, "nucleo-f446re").plan
    assert made.exact and made.low == made.expected == made.high
    assert plan.arena in {part.size for part in made.parts}
    assert made.fits and made.confidence == 1.0


def test_training_takes_more_than_inference_and_nothing_is_computed() -> None:
    torch = pytest.importorskip("torch")
    from netsuke.profile.estimate import pytorch

    layers = [torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU()) for _ in range(6)]
    module = torch.nn.Sequential(*layers)
    batch, item = 1 << 22, 4  # a gigabyte a layer: no memory of it is taken here
    train, infer = (pytorch.load(module, batch, phase, (64,)) for phase in ("train", "infer"))
    # The caller's input, the block's, what its first layer made and what its second makes.
    assert infer.peak == 4 * 64 * batch * item + infer.parameters
    assert train.peak >= 7 * 64 * batch * item
    with pytest.raises(UsageError, match="shape of a sample"):
        pytorch.load(module, 1, "infer")
    with pytest.raises(ModelError, match="does not infer"):
        pytorch.load(module, 1, "infer", (63,))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"runtime": "tensorflow"}, "no runtime is called"),
        ({"batch": 0}, "a batch of 0"),
        ({"threads": 0}, "0 threads"),
        ({"phase": "train"}, "does not train"),
        ({"phase": "dream"}, "no phase is called"),
        ({"device_name": "nucleo-f446re"}, "runs no 64-bit Arm Linux"),
        ({"runtime": "litert"}, "reads .tflite files"),
        ({"runtime": "c", "batch": 2}, "one sample"),
    ],
)
def test_what_cannot_be_estimated_is_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        nk.estimate(SMALL, **options)  # type: ignore[arg-type]


def test_an_unknown_device_and_a_missing_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="is no known device"):
        nk.estimate(SMALL, "raspberry-pi-9")
    with pytest.raises(ModelError, match="no such file"):
        nk.estimate(str(tmp_path / "none.onnx"))
    with pytest.raises(ModelError, match="no such file"):
        nk.estimate(str(tmp_path / "none.tflite"), runtime="litert")


@pytest.mark.parametrize(("name", "runtime"), [("a.onnx", "onnxruntime"), ("a.tflite", "litert")])
def test_truncated_files_give_one_error(tmp_path: Path, name: str, runtime: str) -> None:
    path = tmp_path / name
    content = np.random.default_rng(0).bytes(300)
    path.write_bytes(content if runtime == "onnxruntime" else b"\x1c\0\0\0TFL3" + content)
    with pytest.raises(ModelError):
        nk.estimate(str(path), runtime=runtime)


def test_a_missing_runtime_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(calibration.PACKAGES, "onnxruntime", "no-such-package")
    with pytest.raises(MissingToolError, match="no-such-package"):
        nk.estimate(SMALL)
