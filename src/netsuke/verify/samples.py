"""Whole test sets as arrays in the graph's own form."""

from __future__ import annotations

import numpy as np

from netsuke.errors import UsageError
from netsuke.ir import Array, Graph, Tensor


def stored_samples(graph: Graph, arrays: tuple[Array, ...]) -> tuple[int, list[Array]]:
    """Check that arrays are ``(n, *shape)`` of the stored types; return n and contiguous arrays.

    Raises
    ------
    UsageError
        Naming the input, what it takes and what was given.
    """
    if len(arrays) != len(graph.inputs):
        raise UsageError(f"{graph.name} takes {len(graph.inputs)} inputs, {len(arrays)} given")
    counts = set()
    for name, array in zip(graph.inputs, arrays, strict=True):
        tensor = graph.tensors[name]
        if array.shape[1:] != tensor.shape or array.ndim == 0 or str(array.dtype) != tensor.dtype:
            raise UsageError(
                f"input {name!r} is {array.dtype}{list(array.shape)}, the graph takes "
                f"{tensor.dtype}{['n', *tensor.shape]}"
            )
        counts.add(len(array))
    if len(counts) > 1:
        raise UsageError(f"inputs hold different numbers of samples: {sorted(counts)}")
    return counts.pop() if counts else 1, [np.ascontiguousarray(array) for array in arrays]


def empty_outputs(graph: Graph, count: int) -> tuple[Array, ...]:
    """Arrays ``(count, *shape)`` for the outputs, of the stored types."""
    return tuple(
        np.zeros((count, *graph.tensors[name].shape), graph.tensors[name].dtype)
        for name in graph.outputs
    )


def random_samples(graph: Graph, count: int, seed: int) -> tuple[Array, ...]:
    """Inputs drawn uniformly over all stored integers, or standard normal reals.

    The first two samples hold the smallest and the largest stored integers only.
    """
    generator = np.random.default_rng(seed)
    return tuple(_random(graph.tensors[name], count, generator) for name in graph.inputs)


def _random(tensor: Tensor, count: int, generator: np.random.Generator) -> Array:
    shape = (count, *tensor.shape)
    if tensor.dtype == "float32":
        return generator.standard_normal(shape).astype(np.float32)
    if tensor.dtype == "bool":
        return generator.integers(0, 2, shape).astype(np.bool_)
    low, high = tensor.quant.range if tensor.quant else (0, 127)
    if tensor.dtype == "uint8":
        low, high = 0, 255
    array = generator.integers(low, high, shape, endpoint=True).astype(tensor.dtype)
    array[:1], array[1:2] = low, high
    return array
