"""TensorFlow Lite files, read without TensorFlow."""

from __future__ import annotations

from pathlib import Path

from netsuke.frontend.tflite.importer import import_model
from netsuke.frontend.tflite.model import read_model
from netsuke.frontend.tflite.registry import CONVERTERS
from netsuke.ir import Graph


def load_tflite(path: str | Path) -> Graph:
    """Read a TensorFlow Lite file.

    The leading batch axis is left out, unsigned models become signed ones (stored - 128, with a
    port that says so), and fused activations become clamps.

    Parameters
    ----------
    path
        A ``.tflite`` file; it is not trusted.

    Returns
    -------
    Graph
        Named after the file; tensors keep their names, nodes their order.

    Raises
    ------
    ModelError
        When the file is damaged, hostile or contradicts itself.
    UnsupportedOperatorError
        With every operator of the file that netsuke does not have.
    """
    path = Path(path)
    return parse_tflite(path.read_bytes(), path.stem, str(path))


def parse_tflite(data: bytes, name: str = "model", place: str = "model") -> Graph:
    """Read a TensorFlow Lite model from memory; `place` is what errors call it."""
    return import_model(read_model(data, place), name)


def supported_operators() -> tuple[str, ...]:
    """Names of the TensorFlow Lite operators that can be imported."""
    return tuple(sorted(CONVERTERS))
