"""Bytes of sparse matrices, and which entries a budget of bytes keeps."""

from __future__ import annotations

import numpy as np

from netsuke.ir import Array, Graph


def coded_size(kept: Array, bits: int) -> int:
    """Bytes of the smallest coding of a matrix whose nonzero entries are `kept`.

    Parameters
    ----------
    kept
        bool ``(rows, features)``.
    bits
        Of the weights: up to 4 they share a byte with their gap; see ``ops/projection/coding.py``.
    """
    rows, columns = np.nonzero(kept)
    first = np.ones(len(rows), bool)
    first[1:] = rows[1:] != rows[:-1]
    gaps = columns - np.where(first, 0, np.concatenate([[0], columns[:-1]]))
    sizes = [kept.size]
    for reach, bytes_each in ((255, 2), (15, 1)) if bits <= 4 else ((255, 2),):
        extra = np.maximum(gaps - 1, 0) // reach  # entries of weight 0 on the way
        entries = np.bincount(rows, 1 + extra, minlength=kept.shape[0])
        if entries.max(initial=0) <= 255:
            sizes.append(kept.shape[0] + bytes_each * int(entries.sum()))
    return int(min(sizes))


def largest_entries(matrix: Array, budget: int, bits: int) -> Array:
    """Mask of the entries of largest magnitude that fit into `budget` bytes; all if they fit.

    Hard thresholding of iterative hard thresholding (Blumensath & Davies 2009), with bytes for
    counts: how many entries fit depends on where they lie.
    """
    if matrix.size <= budget:
        return np.ones(matrix.shape, bool)
    order = np.argsort(-np.abs(matrix), axis=None, kind="stable")

    def mask(count: int) -> Array:
        kept = np.zeros(matrix.size, bool)
        kept[order[:count]] = True
        return kept.reshape(matrix.shape)

    low, high = 0, min(matrix.size - 1, max(budget, 0))
    while low < high:
        middle = (low + high + 1) // 2
        if coded_size(mask(middle), bits) <= budget:
            low = middle
        else:
            high = middle - 1
    return mask(low)


def table_bytes(graph: Graph) -> int:
    """Bytes of all tables that the kernels of a graph read: what the model takes in flash.

    Kernels' code and the structs of their few numbers are not counted.
    """
    total = 0
    for node in graph.nodes:
        inputs, outputs = graph.in_of(node), graph.out_of(node)
        kernel = node.op.kernels(inputs, outputs, frozenset())[0]
        arrays = [value for value in kernel.parameters.values() if isinstance(value, np.ndarray)]
        for index, tensor in enumerate(inputs):
            data = kernel.constants.get(index, tensor.data)
            arrays += [] if data is None else [data]
        total += sum(max(array.nbytes, array.itemsize) for array in arrays)  # no C table is empty
    return total
