"""Arithmetic on shapes: nodes whose inputs are all known are computed while importing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from netsuke.frontend.nchw.value import CannotImportError
from netsuke.ir import Array

_MOST_ELEMENTS = 1 << 24

_NAMES = """
Abs Add And Cast CastLike Ceil Clip Concat Constant ConstantOfShape Div Equal Erf Exp Expand
Flatten Floor Gather GatherElements GatherND Greater GreaterOrEqual Identity Less LessOrEqual
Log Max Mean Min Mod Mul Neg Not Or Pow QuantizeLinear Range Reciprocal ReduceMax ReduceMean
ReduceMin ReduceProd ReduceSum Relu Reshape Round ScatterND Shape Sign Size Slice Split Sqrt
Squeeze Sub Sum Tile Transpose Trilu Unsqueeze Where Xor
"""

_FOLDABLE = frozenset(_NAMES.split())


def is_foldable(name: str) -> bool:
    """Whether an operator is computed while importing when its inputs are known."""
    return name in _FOLDABLE


def fold(node: Any, opset: int, arrays: Sequence[Array | None]) -> list[Array] | None:
    """Outputs of a node whose inputs are all known, by ONNX's own reference implementation.

    None when the node is none of those that are folded, or its outputs would be large.
    """
    if node.domain not in ("", "ai.onnx") or node.op_type not in _FOLDABLE:
        return None
    if any(attribute.HasField("sparse_tensor") for attribute in node.attribute):
        raise CannotImportError("holds a sparse tensor")
    if _bound(node.op_type, arrays) > _MOST_ELEMENTS:
        return None
    from onnx import helper
    from onnx.defs import onnx_opset_version
    from onnx.reference import ReferenceEvaluator

    inputs = {
        name: array for name, array in zip(node.input, arrays, strict=True) if array is not None
    }
    graph = helper.make_graph(
        [node],
        "fold",
        [
            helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape
            )
            for name, array in inputs.items()
        ],
        [helper.make_empty_tensor_value_info(name) for name in node.output if name],
    )
    version = min(opset, onnx_opset_version())
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)])
    with np.errstate(all="ignore"):
        results = ReferenceEvaluator(model).run(None, inputs)
    return [np.asarray(result) for result in results]


def _bound(name: str, arrays: Sequence[Array | None]) -> int:
    """At least the number of elements of the outputs, found without computing them."""
    known = [array for array in arrays if array is not None]
    total = sum(array.size for array in known)
    if name in ("ConstantOfShape", "Expand"):
        return total + math.prod(max(int(extent), 1) for extent in known[-1].reshape(-1)) * (
            max(known[0].size, 1) if name == "Expand" else 1
        )
    if name == "Tile":
        return total + known[0].size * math.prod(max(int(n), 1) for n in known[1].reshape(-1))
    if name == "Range":
        start, limit, delta = (float(array.reshape(-1)[0]) for array in known[:3])
        return total + (abs(math.ceil((limit - start) / delta)) if delta else _MOST_ELEMENTS + 1)
    if name == "Gather" and len(known) == 2:
        return total + known[0].size * max(known[1].size, 1)
    if name == "GatherND" and len(known) == 2:
        return total + known[0].size * max(known[1].size, 1)
    ranks = max((array.ndim for array in known), default=0)
    extents = [1] * ranks
    for array in known:
        for axis, extent in enumerate(reversed(array.shape)):
            extents[axis] = max(extents[axis], extent)
    return total + math.prod(extents)
