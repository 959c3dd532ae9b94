"""Reductions."""

from __future__ import annotations

from collections.abc import Callable

from netsuke.frontend.tflite.call import Call
from netsuke.frontend.tflite.flatbuffer import layout
from netsuke.frontend.tflite.registry import CONVERTERS, converts
from netsuke.ir import Op
from netsuke.ops import ArgMax, ReduceMax, ReduceMean, ReduceSum

REDUCER = layout("ReducerOptions", "keep_dims: bool", union=27)


def _reduction(make: Callable[[tuple[int, ...], bool], Op]) -> Callable[[Call], None]:
    def convert(call: Call) -> None:
        value = call.value(0)
        axes = sorted({call.sample_axis(value, axis) for axis in call.integers(1)})
        keep = call.options(REDUCER).flag("keep_dims")
        batch = value.batch
        if batch is not None and not keep:
            batch -= sum(axis < batch for axis in axes)
        call.emit(make(tuple(axes), keep), [value.name], batch)

    return convert


CONVERTERS["MEAN"] = _reduction(ReduceMean)
CONVERTERS["SUM"] = _reduction(ReduceSum)
CONVERTERS["REDUCE_MAX"] = _reduction(ReduceMax)


@converts("ARG_MAX")
def arg_max(call: Call) -> None:
    value = call.value(0)
    axes = call.integers(1)
    if len(axes) != 1:
        call.fail(f"has the axes {list(axes)}")
    axis = call.sample_axis(value, axes[0])
    batch = value.batch
    call.emit(ArgMax(axis), [value.name], batch - (axis < batch) if batch is not None else None)
