"""One operator, checked: every C kernel that serves it equals its NumPy meaning."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from kernel_library import call

from netsuke.ir import Array, GraphBuilder, Kernel, Op, Quant, Tensor, interpret

FLOAT_TOLERANCE = 2e-5


def random_value(tensor: Tensor, rng: np.random.Generator) -> Array:
    """A random sample of an activation: all stored values, or a normal distribution."""
    if tensor.dtype == "float32":
        return rng.normal(size=tensor.shape).astype(np.float32)
    if tensor.dtype == "bool":
        return rng.integers(0, 2, tensor.shape).astype(bool)
    info = np.iinfo(tensor.dtype)
    return rng.integers(
        max(info.min, -1000), min(info.max, 1000), tensor.shape, tensor.dtype, endpoint=True
    )


def check_node(
    op: Op,
    inputs: Sequence[Tensor],
    quants: Sequence[Quant | None] = (),
    *,
    isa: frozenset[str] = frozenset(),
    feeds: Sequence[Array | None] = (),
    seed: int = 0,
    tolerance: float = FLOAT_TOLERANCE,
) -> list[Kernel]:
    """Check a one-node graph and return the kernels that were called.

    Parameters
    ----------
    op
        The operator.
    inputs
        Tensors; those with data are constants, the others are fed random samples.
    quants
        Quantization of each output.
    isa
        Instruction sets of the device that kernels are asked for.
    feeds
        Values for the inputs in place of random ones; None keeps a random one.
    seed
        Of the random samples.
    tolerance
        Absolute and relative tolerance of float outputs; integers must be equal.
    """
    builder = GraphBuilder("check")
    names = []
    for tensor in inputs:
        if tensor.data is not None:
            names.append(builder.constant(tensor.name, tensor.data, tensor.quant))
        else:
            names.append(builder.input(tensor.name, tensor.shape, tensor.dtype, tensor.quant))
    outputs = builder.add(op, names, quants=quants)
    graph = builder.build(outputs)
    rng = np.random.default_rng(seed)
    arrays = []
    for index, name in enumerate(names):
        tensor = graph.tensors[name]
        given = feeds[index] if index < len(feeds) else None
        arrays.append(
            tensor.data
            if tensor.data is not None
            else random_value(tensor, rng)
            if given is None
            else given
        )
    meaning = interpret(
        graph, {n: a for n, a in zip(names, arrays, strict=True) if n in graph.inputs}
    )
    node = graph.nodes[0]
    kernels = op.kernels(graph.in_of(node), graph.out_of(node), isa)
    constants = [graph.tensors[name].is_constant for name in names]
    kinds = [(graph.tensors[name].shape, graph.tensors[name].dtype) for name in outputs]
    assert kernels, f"{op.kind} has no kernel"
    for kernel in kernels:
        for inplace in (None, *kernel.inplace):
            results = call(kernel, arrays, constants, kinds, inplace)
            for name, result in zip(outputs, results, strict=True):
                where = f"{kernel.function} inplace={inplace} output {name}"
                if result.dtype.kind == "f":
                    np.testing.assert_allclose(
                        result, meaning[name], rtol=tolerance, atol=tolerance, err_msg=where
                    )
                else:
                    np.testing.assert_array_equal(result, meaning[name], err_msg=where)
    return list(kernels)
