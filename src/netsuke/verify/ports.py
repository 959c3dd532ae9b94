"""Between arrays as the model file shows them and samples as the graph stores them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netsuke.errors import DataError
from netsuke.ir import Array, Graph, Port, Tensor


def port_of(graph: Graph, name: str) -> Port:
    """How the model file shows an input or output; by default as the graph stores it."""
    tensor = graph.tensors[name]
    return graph.ports.get(name, Port(tuple(range(len(tensor.shape))), tensor.dtype))


def shown_shape(tensor: Tensor, port: Port) -> tuple[int, ...]:
    """The shape of one sample in the model file's layout."""
    if len(port.axes) != len(tensor.shape):
        return tensor.shape
    shape = [0] * len(tensor.shape)
    for axis, extent in zip(port.axes, tensor.shape, strict=True):
        shape[axis] = extent
    return tuple(shape)


def to_stored(graph: Graph, arrays: Sequence[Array]) -> tuple[tuple[Array, ...], bool]:
    """Turn arrays as the model takes them into samples as the graph stores them.

    Parameters
    ----------
    graph
        The model.
    arrays
        One ``(n, ...)`` an input, in the model file's layout (or the graph's). Reals given to a
        quantized input are quantized; uint8 given to a uint8 model is shifted by 128.

    Returns
    -------
    tuple
        The samples, and whether any quantized input was given as reals.

    Raises
    ------
    DataError
        Naming the input, what it takes and what was given.
    """
    if len(arrays) != len(graph.inputs):
        raise DataError(
            graph.name, f"takes {len(graph.inputs)} input array(s), {len(arrays)} given"
        )
    stored, real = [], False
    for name, array in zip(graph.inputs, arrays, strict=True):
        tensor, port = graph.tensors[name], port_of(graph, name)
        laid_out = _lay_out(tensor, port, np.asarray(array))
        if not len(laid_out):
            raise DataError(f"input {name!r}", "was given an array that holds no sample")
        if laid_out.dtype.kind == "f" and tensor.dtype != "float32":
            real = True
        stored.append(_retype(tensor, port, laid_out))
    counts = {len(array) for array in stored}
    if len(counts) > 1:
        raise DataError(graph.name, f"got inputs with different numbers of samples: {counts}")
    return tuple(stored), real


def from_stored(graph: Graph, arrays: Sequence[Array], real: bool) -> tuple[Array, ...]:
    """Turn outputs as the graph stores them into arrays as the model file shows them.

    Parameters
    ----------
    graph
        The model.
    arrays
        One ``(n, *shape)`` an output.
    real
        Whether outputs that the model file shows as reals are dequantized.
    """
    shown = []
    for name, array in zip(graph.outputs, arrays, strict=True):
        tensor, port = graph.tensors[name], port_of(graph, name)
        if port.dtype == "uint8" and tensor.dtype == "int8":
            array = (array.astype(np.int16) + 128).astype(np.uint8)
        elif real and port.dtype == "float32" and tensor.quant is not None:
            array = np.stack([tensor.quant.dequantize(sample) for sample in array])
        if len(port.axes) == len(tensor.shape):
            back = np.argsort(port.axes)
            array = array.transpose(0, *(1 + int(axis) for axis in back))
        shown.append(np.ascontiguousarray(array))
    return tuple(shown)


def _lay_out(tensor: Tensor, port: Port, array: Array) -> Array:
    """Bring the axes into the graph's order; where both orders fit, the file's is meant."""
    shown = shown_shape(tensor, port)
    if array.dtype.kind not in "iufb":
        raise DataError(f"input {tensor.name!r}", f"holds {array.dtype}, which are no numbers")
    if array.ndim and array.shape[1:] == shown:
        if len(port.axes) != len(tensor.shape):
            return array
        return array.transpose(0, *(1 + axis for axis in port.axes))
    if array.ndim and array.shape[1:] == tensor.shape:
        return array
    takes = ", ".join(map(str, ("n", *shown)))
    hint = ""
    if array.shape in (shown, tensor.shape):
        hint = "; one sample alone needs an axis in front: array[None]"
    raise DataError(f"input {tensor.name!r}", f"takes ({takes}), not {array.shape}{hint}")


def _retype(tensor: Tensor, port: Port, array: Array) -> Array:
    place, quant = f"input {tensor.name!r}", tensor.quant
    if tensor.dtype == "float32":
        return np.ascontiguousarray(array, np.float32)
    if array.dtype.kind == "f":
        if quant is None:
            raise DataError(place, f"takes {tensor.dtype}, not {array.dtype}")
        if not np.isfinite(array).all():
            raise DataError(place, "holds NaN or infinity, which have no integer")
        return np.stack([quant.quantize(sample) for sample in array]).astype(tensor.dtype)
    if tensor.dtype == "int8" and port.dtype == "uint8" and array.dtype == np.uint8:
        return (array.astype(np.int16) - 128).astype(np.int8)
    if str(array.dtype) == tensor.dtype:
        return array
    if tensor.dtype == "bool" or array.dtype.kind == "b":
        raise DataError(place, f"takes {tensor.dtype}, not {array.dtype}")
    bounds = np.iinfo(tensor.dtype)
    if array.size and not (bounds.min <= int(array.min()) and int(array.max()) <= bounds.max):
        raise DataError(
            place,
            f"takes {port.dtype if port.dtype != 'float32' else tensor.dtype}, but the "
            f"{array.dtype} array holds {int(array.min())} to {int(array.max())}",
        )
    return array.astype(tensor.dtype)
