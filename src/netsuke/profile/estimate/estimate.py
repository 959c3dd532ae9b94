"""The peak of a process on a device that is not there."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from netsuke.devices import Device
from netsuke.errors import ModelError, UsageError
from netsuke.ir import Graph
from netsuke.profile.estimate import lite_rt, onnx_runtime, pytorch
from netsuke.profile.estimate.account import Account, Moment
from netsuke.profile.estimate.calibration import version
from netsuke.profile.estimate.result import Estimate, Part
from netsuke.profile.estimate.table import Entry, entry, huge_pages
from netsuke.profile.estimate.traced import PHASES

RUNTIMES = ("onnxruntime", "litert", "torch", "c")
MOST_BATCH, MOST_THREADS = 1 << 20, 256

Find = Callable[[], Graph]
"""Returns the model as a graph, when a runtime cannot read its file."""


def estimate_process(
    model: Any,
    graph: Find,
    runtime: str,
    device: Device,
    *,
    phase: str = "infer",
    batch: int | None = None,
    threads: int = 1,
    arena: bool = True,
    shape: Sequence[int] | None = None,
    available: int | None = None,
) -> Estimate:
    """Estimate the peak of a framework's process on a 64-bit Arm Linux board.

    The peak is `B + max_t(W(t) + Live(t) + S(t)) + F`: `B` from the table that the machine in
    QEMU gave, the middle from the model (exact lifetimes, replayed through the allocator) and one
    run on this machine, `F` from the calibration cells.

    Parameters
    ----------
    model
        A file, a name of the zoo, a graph or a PyTorch module.
    graph
        Returns the model as a graph.
    runtime
        One of `RUNTIMES` but ``c``.
    device
        A board with 64-bit Arm Linux.
    phase
        ``infer``; with torch also ``evaluate`` and ``train``.
    batch
        Samples at once; None: what the file says, else 1.
    threads
        Of the runtime.
    arena
        False: ONNX Runtime without its memory arena.
    shape
        Of one sample of a PyTorch module.
    available
        Bytes that are left for the process; None: what the device has beside its reserve.

    Raises
    ------
    UsageError, MissingToolError, ModelError, VerificationError
    """
    _check(runtime, device, phase, batch, threads)
    row = entry(runtime)
    name = model if isinstance(model, str) else getattr(model, "name", type(model).__name__)
    with tempfile.TemporaryDirectory(prefix="netsuke-estimate-") as folder:
        place = Path(folder)
        if runtime == "torch":
            batch = batch or 1
            traced = pytorch.load(
                model if pytorch.is_module(model) else graph(), batch, phase, shape
            )
            account = pytorch.account(traced, phase)
        elif runtime == "onnxruntime":
            path = _onnx_file(model, graph, place)
            shapes, batch = _shapes(path, batch)
            loaded = onnx_runtime.load(path, shapes, threads)
            account = onnx_runtime.account(loaded, huge_pages(), arena=arena)
        else:
            found, batch = lite_rt.load(_tflite_file(model), batch, threads)
            account = lite_rt.account(found)
    made = assemble(account, row, str(name), device.id, phase, batch, threads)
    made = replace(made, notes=(*made.notes, *_notes(runtime, row, device, threads)))
    return replace(made, available=device.ram if available is None else available)


def assemble(
    account: Account,
    row: Entry,
    model: str,
    device: str,
    phase: str,
    batch: int,
    threads: int,
) -> Estimate:
    """The interval and the parts of an account on a runtime's base."""
    moments = [
        Moment(m.name, row.base + m.size + round(row.fit.get(m.kind, 0.0)), m.kind)
        for m in account.moments
    ]
    peak = max(moments, key=lambda moment: moment.size)
    above = max(0, peak.size - row.base)
    spread = round(row.quantile * max(row.deviation, row.share * above)) + account.slack
    parts = _parts(account, row, peak.size)
    return Estimate(
        *(model, row.runtime, row.version, device, phase, batch, threads),
        low=max(row.base, peak.size - spread),
        expected=peak.size,
        high=peak.size + spread,
        exact=False,
        available=0,
        parts=parts,
        peak_at=peak.name,
        timeline=(("import", row.base), *((m.name, m.size) for m in moments)),
    )


def _parts(account: Account, row: Entry, peak: int) -> tuple[Part, ...]:
    """The base, what the account knows, and the rest: they add up to the peak."""
    known = [part for part in account.parts if part.size > 0]
    base = Part(f"Python, NumPy and {row.runtime} {row.version}, imported", row.base, "--runtime c")
    rest = peak - row.base - sum(part.size for part in known)
    if rest > 0:
        known.append(Part("the runtime's own heap and code, and rounding to pages", rest))
    elif rest < 0:  # tensors of the model that were counted twice: the file and its copy
        known.append(Part("shared between these", rest))
    return tuple(sorted((base, *known), key=lambda part: -part.size))


def _check(runtime: str, device: Device, phase: str, batch: int | None, threads: int) -> None:
    if runtime not in RUNTIMES:
        raise UsageError(f"no runtime is called {runtime!r}; known are {', '.join(RUNTIMES)}")
    if phase not in PHASES:
        raise UsageError(f"no phase is called {phase!r}; known are {', '.join(PHASES)}")
    if phase != "infer" and runtime != "torch":
        raise UsageError(f"{runtime} does not {phase}; try --runtime torch")
    if batch is not None and not 1 <= batch <= MOST_BATCH:
        raise UsageError(f"a batch of {batch} is not from 1 to {MOST_BATCH:,}")
    if not 1 <= threads <= MOST_THREADS:
        raise UsageError(f"{threads} threads are not from 1 to {MOST_THREADS}")
    if "a64" not in device.isa:
        raise UsageError(
            f"{device.id} runs no 64-bit Arm Linux, and no {runtime} process was measured on its "
            f"{device.core}; try --runtime c, or a board such as rpi-3b"
        )


def _onnx_file(model: Any, graph: Find, folder: Path) -> Path:
    if isinstance(model, str | Path) and str(model).lower().endswith(".onnx"):
        return _there(model)
    from netsuke.codegen.onnx import to_onnx

    path = folder / "model.onnx"
    path.write_bytes(to_onnx(graph()))
    return path


def _tflite_file(model: Any) -> Path:
    if not (isinstance(model, str | Path) and str(model).lower().endswith(".tflite")):
        raise UsageError(f"litert reads .tflite files, and {model} is none")
    return _there(model)


def _there(model: str | Path) -> Path:
    path = Path(model)
    if not path.is_file():
        raise ModelError(str(path), "there is no such file")
    return path.resolve()


def _shapes(path: Path, batch: int | None) -> tuple[list[list[int]], int]:
    """Shapes of the inputs of an ONNX file with so many samples, and how many that are.

    Raises
    ------
    ModelError
        When the file is damaged, or leaves open more than the batch.
    UsageError
        When it fixes another batch.
    """
    import onnx

    try:
        model = onnx.load(str(path), load_external_data=False)
    except Exception as error:  # protobuf's own kinds
        raise ModelError(str(path), f"is no ONNX file: {str(error)[:120]}") from None
    constants = {tensor.name for tensor in model.graph.initializer}
    ports = [port for port in model.graph.input if port.name not in constants]
    wanted = batch
    shapes = []
    for port in ports:
        dims = list(port.type.tensor_type.shape.dim)
        extents = [dim.dim_value if dim.HasField("dim_value") else 0 for dim in dims]
        if any(extent < 1 for extent in extents[1:]):
            raise ModelError(str(path), f"leaves the shape of {port.name!r} open, not only a batch")
        if extents and extents[0] > 0:
            if wanted not in (None, extents[0]):
                raise UsageError(
                    f"{path}: is made for a batch of {extents[0]}, not of {wanted}; export it "
                    "with a free batch axis"
                )
            batch = extents[0]
        elif extents:
            batch = wanted or 1
            extents[0] = batch
        shapes.append(extents)
    return shapes, batch or 1


def _notes(runtime: str, row: Entry, device: Device, threads: int) -> list[str]:
    """What the figures rest on."""
    notes = [
        f"base and corrections from {row.cells} calibration cells of {row.runtime} {row.version} "
        "on an emulated 64-bit Arm Linux with 1 GB",
    ]
    here = version(runtime).partition("+")[0]
    if here != row.version:
        notes.append(f"this machine has {runtime} {here}, the table {row.version}")
    if threads > 1:
        notes.append("cells were measured with one thread")
    if device.cores > 1 and threads == 1:
        notes.append("one thread, as asked: more threads keep more buffers")
    return notes
