"""The one run on this machine that an estimate starts from: stages of a fresh process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netsuke.errors import MissingToolError, ModelError, VerificationError

PROBE = Path(__file__).parent / "probe.py"
MODULES = {"onnxruntime": "onnxruntime", "litert": "ai_edge_litert", "torch": "torch"}
PACKAGES = {"onnxruntime": "onnxruntime", "litert": "ai-edge-litert", "torch": "torch"}
TIMEOUT = 600.0
"""Seconds that a calibration run may take."""


@dataclass(frozen=True, slots=True)
class Stages:
    """Resident memory of one process, stage by stage.

    Attributes
    ----------
    rss, hwm
        Stage (``import``, ``load``, ``run1`` ...) -> bytes at its end; the most up to its end.
    """

    rss: Mapping[str, int]
    hwm: Mapping[str, int]

    @classmethod
    def of(cls, cell: Mapping[str, Any]) -> Stages:
        """The stages of a probe's result."""
        stages = cell["stages"]
        return cls({s["stage"]: s["rss"] for s in stages}, {s["stage"]: s["hwm"] for s in stages})

    @property
    def peak(self) -> int:
        return max(self.hwm.values())

    @property
    def runs(self) -> int:
        """Bytes resident after the last run."""
        return self.rss[max(stage for stage in self.rss if stage.startswith("run"))]


def version(runtime: str) -> str:
    """The version of a runtime on this machine.

    Raises
    ------
    MissingToolError
        When it is not installed.
    """
    from importlib import metadata

    try:
        return metadata.version(PACKAGES[runtime])
    except metadata.PackageNotFoundError:
        raise MissingToolError(
            PACKAGES[runtime],
            "for the calibration run on this machine",
            f"pip install {PACKAGES[runtime]}",
        ) from None


def measure(
    runtime: str,
    path: Path | None,
    shapes: Sequence[Sequence[int]],
    *,
    runs: int = 2,
    threads: int = 1,
    **more: Any,
) -> Stages:
    """Run a model in a fresh process of this machine and tell what it took.

    Raises
    ------
    MissingToolError
        When the runtime is not installed.
    ModelError
        When the runtime refuses the model.
    VerificationError
        When the process dies.
    """
    version(runtime)
    cell = {
        **{"runtime": runtime, "path": str(path), "shapes": [list(shape) for shape in shapes]},
        **{"runs": runs, "threads": threads, **more},
    }
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "PYTHONPATH": ""}
    command = [sys.executable, "-E", str(PROBE), json.dumps(cell)]
    try:
        ran = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=TIMEOUT, env=environment
        )
    except subprocess.TimeoutExpired:
        raise VerificationError(
            str(path), f"ran for more than {TIMEOUT:g} s in {runtime}"
        ) from None
    lines = [line for line in ran.stdout.splitlines() if line.startswith("CELL ")]
    if not lines:
        last = (ran.stderr.strip().splitlines() or [f"exit status {ran.returncode}"])[-1]
        raise VerificationError(str(path), f"the calibration run in {runtime} died: {last[:200]}")
    result = json.loads(lines[-1].removeprefix("CELL "))
    if result["error"]:
        raise ModelError(str(path), f"{runtime} refuses it: {result['error']}")
    return Stages.of(result)
