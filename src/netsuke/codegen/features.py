"""Between a person's features and what a model stores: C that ships with tables and signals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from netsuke.codegen.tables import literal
from netsuke.codegen.wrap import render
from netsuke.ir import Graph, Quant, Tensor

RANGES = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767)}


def reads_features(graph: Graph, told: Mapping[str, Any]) -> bool:
    """Whether a model's only input is one vector of quantized features, as estimators make it."""
    if "estimator" not in told or len(graph.inputs) != 1:
        return False
    x = graph.tensors[graph.inputs[0]]
    return len(x.shape) == 1 and x.quant is not None and x.dtype in RANGES


def features_header(graph: Graph) -> bytes:
    """C of ``model_feature(index, value)``, which rounds as `Quant.quantize` does."""
    x = graph.tensors[graph.inputs[0]]
    assert x.quant is not None
    low, high = RANGES[x.dtype]
    each = len(x.quant.scale) > 1
    return render(
        "model_features.h.j2",
        features=x.shape[0],
        low=literal(low),
        high=literal(high),
        raw=_is_raw(x.quant),
        each=each,
        scales=_wrapped([literal(scale) for scale in x.quant.scale]),
        zeros=_wrapped([literal(zero) for zero in x.quant.zero_point]),
    ).encode()


def sketch_values(graph: Graph, told: Mapping[str, Any]) -> dict[str, Any]:
    """What a sketch that reads features says about the model's output."""
    if not reads_features(graph, told) or not graph.outputs:
        return {"features": 0}
    x, y = graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]
    labels = [_quoted(str(label)) for label in told.get("classes", ())]
    decides = y.dtype == "uint8" and y.elements == 1 and bool(labels)
    return {
        "features": x.shape[0],
        "labels": labels if decides else [],
        "scale": _one_scale(y),
        "zero": y.quant.zero_point[0] if y.quant else 0,
    }


def _one_scale(tensor: Tensor) -> str | None:
    quant = tensor.quant
    return literal(quant.scale[0]) if quant is not None and len(quant.scale) == 1 else None


def _is_raw(quant: Quant) -> bool:
    return all(scale == 1.0 for scale in quant.scale) and not any(quant.zero_point)


def _wrapped(values: list[str]) -> str:
    lines, line = [], "   "
    for value in values:
        if len(line) + len(value) + 2 > 100:
            lines.append(line)
            line = "   "
        line += f" {value},"
    return "\n".join([*lines, line])


def _quoted(text: str) -> str:
    """A C string that holds a label, whatever is in it."""
    plain = text.encode("ascii", "replace").decode()
    safe = "".join(c if c.isprintable() and c not in '"\\?%' else "_" for c in plain)
    return f'"{safe[:40]}"'
