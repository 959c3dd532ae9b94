"""Model files and PyTorch modules, read into graphs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from netsuke.errors import ModelError, UsageError
from netsuke.ir import Graph

SUFFIXES = (".onnx", ".tflite", ".pt2")


def load(source: str | Path | Any, shapes: Mapping[str, Sequence[int]] | None = None) -> Graph:
    """Read a model.

    Parameters
    ----------
    source
        A path that ends in ``.onnx``, ``.tflite`` or ``.pt2``, a ``torch.nn.Module`` or a
        ``torch.export.ExportedProgram``.
    shapes
        Input name -> shape (with the batch axis), for an ONNX file that leaves extents open.

    Returns
    -------
    Graph
        Verified, batch-free, channels last.

    Raises
    ------
    UsageError
        When the source is none of these.
    ModelError
        When the file is missing, empty, of an unknown kind, damaged or hostile.
    UnsupportedOperatorError
        When it holds operators that netsuke does not have; all are listed.
    """
    if not isinstance(source, str | Path):
        if "torch" not in {kind.__module__.split(".")[0] for kind in type(source).__mro__}:
            raise UsageError(
                f"cannot read a {type(source).__name__}: a model is a path, a torch.nn.Module or "
                "a torch.export.ExportedProgram"
            )
        from netsuke.frontend.torch import from_module

        return from_module(source)
    path = Path(source)
    _require_file(path)
    if shapes and path.suffix.lower() != ".onnx":
        raise UsageError(f"{path}: shapes of inputs can be given for .onnx files only")
    match path.suffix.lower():
        case ".tflite":
            from netsuke.frontend.tflite import load_tflite

            return load_tflite(path)
        case ".onnx":
            from netsuke.frontend.onnx import load_onnx

            return load_onnx(path, shapes)
        case ".pt2":
            from netsuke.frontend.torch import load_pt2

            return load_pt2(path)
        case suffix:
            what = f"the suffix {suffix!r}" if suffix else "no suffix"
            raise ModelError(str(path), f"has {what}; known are {', '.join(SUFFIXES)}")


def _require_file(path: Path) -> None:
    try:
        if not path.exists():
            raise ModelError(str(path), "does not exist")
        if path.is_dir():
            raise ModelError(str(path), "is a folder; give the model file in it")
        if not path.is_file():
            raise ModelError(str(path), "is not a regular file")
        if path.stat().st_size == 0:
            raise ModelError(str(path), "is empty")
        with path.open("rb"):
            pass
    except (OSError, ValueError) as error:
        raise ModelError(str(path), f"cannot be read: {error}") from error
