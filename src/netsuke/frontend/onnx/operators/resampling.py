"""Resize and Upsample."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from netsuke.frontend.nchw.linear import matmul
from netsuke.frontend.nchw.movement import gather
from netsuke.frontend.nchw.pointwise import add
from netsuke.frontend.nchw.resize import resize
from netsuke.frontend.nchw.value import CannotImportError, Value
from netsuke.frontend.onnx.registry import Call, converts
from netsuke.ir import Array
from netsuke.ops.resize import COORDINATES, ROUNDINGS

_MOST_EXTENT = 1 << 16


@converts("Upsample")
def upsample(call: Call) -> Value:
    x = call[0]
    listed = call.attribute("scales")
    scales = _scales(listed if listed is not None else call.known(1), x)
    sizes = tuple(math.floor(e * s) for e, s in zip(x.shape, scales, strict=True))
    return _resample(call, x, sizes, scales, "asymmetric", "floor")


@converts("Resize")
def resize_(call: Call) -> Value:
    x = call[0]
    if call.opset < 11:
        scales = _scales(call.known(1), x)
        sizes = tuple(math.floor(e * s) for e, s in zip(x.shape, scales, strict=True))
        return _resample(call, x, sizes, scales, "asymmetric", "floor")
    sizes, scales = _target(call, x)
    coordinates = call.attribute("coordinate_transformation_mode", "half_pixel")
    rounding = call.attribute("nearest_mode", "round_prefer_floor")
    return _resample(call, x, sizes, scales, coordinates, rounding)


def _scales(given: Any, x: Value) -> tuple[float, ...]:
    scales = tuple(float(number) for number in np.asarray([] if given is None else given).flat)
    if len(scales) != x.rank or not all(0 < number < _MOST_EXTENT for number in scales):
        raise CannotImportError(f"has the scales {scales} for {list(x.shape)}")
    return scales


def _target(call: Call, x: Value) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """(sizes, scales) of all axes, from either input."""
    axes = [axis % x.rank for axis in call.integers("axes") or range(x.rank)]
    given_scales, given_sizes = call.known(2), call.known_integers(3)
    sizes, scales = list(x.shape), [1.0] * x.rank
    if given_scales is not None and given_scales.size:
        for axis, number in zip(axes, given_scales.reshape(-1).tolist(), strict=True):
            scales[axis] = float(number)
            sizes[axis] = math.floor(x.shape[axis] * float(number))
    elif given_sizes:
        wanted = dict(zip(axes, given_sizes, strict=True))
        policy = call.attribute("keep_aspect_ratio_policy", "stretch")
        ratios = [target / x.shape[axis] for axis, target in wanted.items()]
        for axis, target in wanted.items():
            sizes[axis], scales[axis] = target, target / x.shape[axis]
            if policy != "stretch":
                scales[axis] = min(ratios) if policy == "not_larger" else max(ratios)
                sizes[axis] = math.floor(scales[axis] * x.shape[axis] + 0.5)
    else:
        raise CannotImportError("has neither scales nor sizes")
    if not all(0 < size < _MOST_EXTENT for size in sizes):
        raise CannotImportError(f"resizes {list(x.shape)} to {sizes}")
    return tuple(sizes), tuple(scales)


def _resample(
    call: Call,
    x: Value,
    sizes: tuple[int, ...],
    scales: tuple[float, ...],
    coordinates: str,
    rounding: str,
) -> Value:
    """By our resize where it means the same, else by one matrix or list of places an axis."""
    mode = call.attribute("mode", "nearest")
    if coordinates == "align_corners":
        # The text of ONNX, PyTorch and ONNX Runtime map corner to corner of whole pixels; ONNX's
        # own tests, which only shrink, have the corner of a fractional one.
        known = zip(sizes, x.shape, scales, strict=True)
        scales = tuple(new / old if new > old else scale for new, old, scale in known)
    changed = [
        axis for axis in range(x.rank) if sizes[axis] != x.shape[axis] or scales[axis] != 1.0
    ]
    exact = all(
        math.isclose(scales[axis], sizes[axis] / x.shape[axis], rel_tol=1e-6) for axis in changed
    )
    modes = {"nearest": "nearest", "linear": "bilinear"}
    plain = not call.flag("antialias") and coordinates in COORDINATES and rounding in ROUNDINGS
    if plain and exact and mode in modes and x.rank in (3, 4) and all(a >= 2 for a in changed):
        return resize(call.session, x, sizes[2:], modes[mode], coordinates, rounding)
    outside = call.real("extrapolation_value", 0.0)
    missing = np.zeros([1] * x.rank, bool)
    for axis in changed:
        matrix = _matrix(call, x.shape[axis], sizes[axis], scales[axis], axis)
        empty = (matrix == 0.0).all(axis=1)
        missing = missing | empty.reshape([-1 if a == axis else 1 for a in range(x.rank)])
        x = _along(call, x, axis, matrix)
    if outside and missing.any():
        added = call.session.constant("outside", missing.astype(np.float32) * np.float32(outside))
        x = add(call.session, x, added)
    return x


def _along(call: Call, x: Value, axis: int, matrix: Array) -> Value:
    """Resample one axis with a matrix, or by taking elements where it only does that."""
    places = matrix.argmax(axis=1)
    s = call.session
    if (matrix == np.eye(x.shape[axis], dtype=np.float32)[places]).all():
        return gather(s, x, s.constant(f"{s.next_label}.places", places), axis)
    order = [a for a in range(x.rank) if a != axis] + [axis]
    turned = s.transpose(x, order)
    y = matmul(s, turned, s.constant(f"{s.next_label}.weights", matrix.T))
    return s.transpose(y, np.argsort(order).tolist())


def _matrix(call: Call, inner: int, outer: int, scale: float, axis: int) -> Array:
    """(outer, inner): how much of each pixel goes into each resampled pixel of one axis.

    ONNX's reference implementation says so, applied to the unit matrix.
    """
    from onnx import helper
    from onnx.reference import ReferenceEvaluator

    if inner * outer > 1 << 22:
        raise CannotImportError(f"resamples {inner} to {outer} pixels in an unusual way")
    attributes = {
        name: call.attribute(name)
        for name in (
            "antialias",
            "coordinate_transformation_mode",
            "cubic_coeff_a",
            "exclude_outside",
            "mode",
            "nearest_mode",
        )
        if call.attribute(name) is not None
    }
    if call.opset < 11:
        attributes["coordinate_transformation_mode"] = "asymmetric"
        attributes["nearest_mode"] = "floor"
    ratio = scale if math.floor(inner * scale) == outer else outer / inner
    roi = call.known(1) if call.opset >= 11 else None
    window = np.array([0, 0, 1, 1], np.float32)
    if roi is not None and roi.size:
        axes = list(call.integers("axes") or range(roi.size // 2))
        place = [a % call[0].rank for a in axes].index(axis)
        window = np.array([0, roi[place], 1, roi[place + len(axes)]], np.float32)
    node = helper.make_node("Resize", ["x", "roi", "scales"], ["y"], **attributes)
    info = [
        helper.make_tensor_value_info(name, 1, shape)
        for name, shape in (("x", (inner, inner)), ("roi", (4,)), ("scales", (2,)))
    ]
    graph = helper.make_graph([node], "axis", info, [helper.make_empty_tensor_value_info("y")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    feeds = {
        "x": np.eye(inner, dtype=np.float32),
        "roi": window,
        "scales": np.array([1.0, ratio], np.float32),
    }
    (columns,) = ReferenceEvaluator(model).run(None, feeds)
    return np.ascontiguousarray(np.asarray(columns, np.float32).T)
