"""Runs the cells, natively or on the Arm machine, and keeps each result as it comes.

    python bench/estimate/oracle.py FOLDER            # on the Arm machine; builds it if need be
    python bench/estimate/oracle.py FOLDER --here     # the same cells on this machine

FOLDER keeps the machine, the models and ``arm.jsonl`` or ``here.jsonl``; a run that was interrupted
goes on where it stopped. `--cells TEXT` picks cells whose id contains a text.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "hosts"))
sys.path.insert(0, str(Path(__file__).parent))

import machine
from cells import CELLS, Cell

RUNS = 2
"""The second run differs from the first where a runtime plans its memory after it has run once."""
HERE = Path(__file__).parent
PROBE = HERE.parents[1] / "src/netsuke/profile/estimate/probe.py"


def model_file(cell: Cell, folder: Path) -> Path:
    """The file of a cell's network, made once."""
    if "/" in cell.model:
        data = Path(os.environ.get("NETSUKE_DATA") or HERE.parents[2] / "shared/data")
        target = folder / Path(cell.model).name
        if not target.exists():
            shutil.copy(data / cell.model, target)
        return target
    marks = "_int8" if cell.int8 else ""
    name = cell.model.replace("?", "_").replace("=", "").replace("&", "_") + marks
    suffix = f"_b{cell.batch}.tflite" if cell.runtime == "litert" else ".onnx"
    target = folder / f"{name}{suffix}"
    if not target.exists():
        target.write_bytes(_write(cell))
    return target


def _write(cell: Cell) -> bytes:
    import nets

    graph = nets.graph(cell.model, cell.int8)
    if cell.runtime == "litert":
        from tflite_writer import to_tflite

        return to_tflite(graph, cell.batch)
    from netsuke.codegen.onnx import to_onnx

    return to_onnx(nets.channels_first(graph))


def input_shape(cell: Cell, path: Path | None) -> list[int]:
    """Shape of the input with its batch."""
    if cell.runtime == "torch":
        size = (
            int(dict(p.split("=") for p in cell.model.split("?")[1].split("&"))["size"])
            if ("size=" in cell.model)
            else {"mnist_cnn": 28, "resnet8": 32}[cell.family]
        )
        return [cell.batch, 1 if cell.family == "mnist_cnn" else 3, size, size]
    assert path is not None
    if path.suffix == ".onnx":
        import onnx

        dims = onnx.load(str(path)).graph.input[0].type.tensor_type.shape.dim
        return [cell.batch, *(dim.dim_value for dim in dims[1:])]
    from ai_edge_litert.interpreter import Interpreter

    shape = Interpreter(model_path=str(path)).get_input_details()[0]["shape"]
    return [int(extent) for extent in shape]


def job_of(cell: Cell, models: Path, prefix: str) -> dict[str, Any]:
    """What the guest is told."""
    path = None if cell.runtime == "torch" else model_file(cell, models)
    shapes = [input_shape(cell, path)]
    return {
        **cell.record(),
        **{"path": f"{prefix}/{path.name}" if path else None, "shapes": shapes, "runs": RUNS},
    }


def on_machine(folder: Path, jobs: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Lines of the machine's console."""
    if not (folder / "initrd").exists():
        machine.build(folder)
    stage = folder / "job"
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir()
    for path in (PROBE, HERE / "torch_nets.py"):
        shutil.copy(path, stage)
    for name in {Path(job["path"]).name for job in jobs if job["path"]}:
        shutil.copy(folder / "models" / name, stage)
    (stage / "cells").write_text("".join(json.dumps(job) + "\n" for job in jobs))
    image = folder / "job.ext4"
    image.unlink(missing_ok=True)
    machine.run("mke2fs", "-q", "-t", "ext4", "-O", "^metadata_csum", "-d", stage, image, "1G")
    started = subprocess.Popen(
        machine.command(folder, image), stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    )
    assert started.stdout is not None
    try:
        yield from started.stdout
    finally:
        started.kill()
        started.wait()


def on_this(jobs: Sequence[dict[str, Any]]) -> Iterator[str]:
    for job in jobs:
        command = [sys.executable, str(PROBE), json.dumps(job)]
        seen = {**os.environ, "PYTHONPATH": str(HERE)}
        ran = subprocess.run(command, check=False, capture_output=True, text=True, env=seen)
        yield from ran.stdout.splitlines()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--here", action="store_true", help="on this machine instead")
    parser.add_argument("--cells", default="", help="only those whose id contains this")
    options = parser.parse_args()
    folder = options.folder.resolve()
    models = folder / "models"
    models.mkdir(parents=True, exist_ok=True)
    results = folder / ("here.jsonl" if options.here else "arm.jsonl")
    lines = results.read_text().splitlines() if results.exists() else []
    done = {json.loads(line)["id"] for line in lines}
    wanted = [cell for cell in CELLS if cell.id not in done and options.cells in cell.id]
    todo = sorted(wanted, key=lambda cell: not cell.calibrates)
    prefix = str(models) if options.here else "/job"
    jobs = [job_of(cell, models, prefix) for cell in todo]
    print(f"{len(done)} cells are there, {len(jobs)} to run", file=sys.stderr)
    for line in on_this(jobs) if options.here else on_machine(folder, jobs):
        if line.startswith("CELL "):
            with results.open("a") as stream:
                stream.write(line.removeprefix("CELL ").strip() + "\n")
            found = json.loads(line.removeprefix("CELL "))
            print(
                f"{found['hwm'] / 1e6:8.1f} MB  {found['id']}  {found['error'] or ''}", flush=True
            )
        elif line.strip():
            print(line.rstrip(), file=sys.stderr, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
