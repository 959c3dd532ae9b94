"""What an operator owes to the rest of the house."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from netsuke.errors import GraphError
from netsuke.ir.layout import Axes, Relayout, Shape
from netsuke.ir.link import Link
from netsuke.ir.range import Addends, Range
from netsuke.ir.tensor import Array, Quant, Tensor, TensorType
from netsuke.ir.tile import Box, Tile


@dataclass(frozen=True, slots=True)
class Cost:
    """Work of one node for one sample: multiply-accumulates and elementary operations."""

    macs: int = 0
    elementary: int = 0


@dataclass(frozen=True, slots=True)
class View:
    """A tensor that may lie inside another one, so that no byte has to move.

    The tensor `inner` starts `offset` bytes into the tensor `outer`. Both are argument numbers:
    ``("in", 0)`` is the node's first input.
    """

    inner: tuple[str, int]
    outer: tuple[str, int]
    offset: int  # bytes


@dataclass(frozen=True, slots=True)
class QuantRule:
    """What quantizing a float node to int8 must respect.

    Attributes
    ----------
    shared
        All activations of the node share one quantization (pooling, reshape, concat ...).
    fixed
        Output number -> the quantization it always gets (softmax: 1/256, -128).
    weights
        Input number of a constant -> axis of its per-channel scales (symmetric int8), or None
        for one scale.
    bias
        Input number of the int32 bias, whose scale is input 0's times the weights'.
    float_inputs
        Input numbers that stay as they are (indices, already integer data).
    """

    shared: bool = False
    fixed: Mapping[int, Quant] = field(default_factory=dict)
    weights: Mapping[int, int | None] = field(default_factory=dict)
    bias: int | None = None
    float_inputs: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Kernel:
    """One C function that can run a node, with everything the call needs.

    The call is ``function(&parameters, inputs..., outputs..., scratch)``, in graph order.

    Attributes
    ----------
    function
        Name after the grammar ``nsk_<op>_<dtype>[_<isa>]``.
    source
        The C file, relative to `netsuke.ops`; the headers it includes are found by reading it.
    struct
        C type of the parameters (declared in the operator's header), or None for no parameters.
    parameters
        Field -> number, or array that is emitted as its own table in flash and pointed to.
    constants
        Input number -> array that ships in place of the graph's constant (packed weights, a bias
        with the zero point folded in). A constant input that the kernel does not want at all
        maps to None and is not passed.
    scratch
        Bytes of scratch memory while the node runs, or None when the function takes no scratch.
    inplace
        Pairs (input, output) that may start at the same address, if the input dies here. The
        output may be larger than the input: then the kernel promises to have read what it writes
        over, and the plan gives it memory behind the input's end.
    instructions
        Modelled number of executed instructions, for choosing among kernels.
    flash
        The function reads its tables and parameters through ``nsk_flash.h``, so that they can stay
        in a program memory that plain pointers do not reach (AVR).
    cycles
        On a core whose timing is fixed (AVR): modelled clock cycles of one call, the mean over
        inputs; 0 where nobody knows.
    code
        On such a core: modelled bytes of the function with these parameters; 0 where nobody knows.
    """

    function: str
    source: str
    struct: str | None = None
    parameters: Mapping[str, int | float | Array] = field(default_factory=dict)
    constants: Mapping[int, Array | None] = field(default_factory=dict)
    scratch: int | None = None
    inplace: tuple[tuple[int, int], ...] = ()
    instructions: float = 0.0
    flash: bool = False
    cycles: float = 0.0
    code: float = 0.0

    def has_tables(self, inputs: Sequence[Tensor]) -> bool:
        """Whether the call is given any constant table: an array parameter or a constant input."""
        constants = {i: tensor.data for i, tensor in enumerate(inputs) if tensor.is_constant}
        tables = ({**constants, **self.constants}).values()
        arrays = any(isinstance(value, np.ndarray) for value in self.parameters.values())
        return arrays or any(table is not None for table in tables)


class Op(ABC):
    """What an operator means. Subclasses are frozen dataclasses; their fields are attributes.

    An operator never sees the batch axis: shapes are those of one sample, channels last. Arrays
    given to `reference` and `quantized` are one sample, in graph order, constants included.
    """

    rule: ClassVar[QuantRule] = QuantRule()
    measured: ClassVar[tuple[int, ...]] = ()
    """Constant inputs that training measures on its batches (batch-norm's mean, variance)."""

    @property
    def kind(self) -> str:
        """The operator's name, which is its folder's: ``Conv2d`` is ``conv2d``."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(self).__name__).lower()

    @abstractmethod
    def infer(self, inputs: Sequence[Tensor]) -> tuple[TensorType, ...]:
        """Types of the outputs; raises GraphError when the inputs cannot be served."""

    @abstractmethod
    def reference(self, *arrays: Array) -> tuple[Array, ...]:
        """Define the operator in real numbers (float32 in, float32 out)."""

    def quantized(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *arrays: Array
    ) -> tuple[Array, ...]:
        """Define the operator's integers, bit for bit; kernels are right when they equal it."""
        raise GraphError(self.kind, "has no integer meaning for these element types")

    def cost(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Cost:
        """Work for one sample."""
        return Cost(elementary=sum(tensor.elements for tensor in outputs))

    def kernels(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> tuple[Kernel, ...]:
        """C functions that can run this node on a core with these instruction sets.

        Raises a NetsukeError that says why when there is none.
        """
        raise GraphError(self.kind, "has no C kernel for these element types")

    def timed(self, kernel: Kernel, inputs: Sequence[Tensor], rows: Sequence[Array]) -> Kernel:
        """The kernel with the mean cycles that these samples take, where they depend on samples.

        `rows` are the activations among the inputs, ``(n, *shape)`` each.
        """
        return kernel

    def stream(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str]
    ) -> Kernel | None:
        """The kernel that takes input 0, a vector, element by element, or None.

        It is three C functions: ``<function>_begin(&p, inputs but 0..., outputs..., scratch)``,
        ``<function>_push(&p, element, inputs but 0..., outputs..., scratch)``, called for each
        element in order, and ``<function>_end(...)`` with the arguments of the first. Outputs
        and scratch are left alone between the calls.
        """
        return None

    def chunked(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], isa: frozenset[str], chunk: int
    ) -> Kernel | None:
        """The kernel that takes input 0, a vector, `chunk` elements at a time, or None.

        Functions as those of `stream`, but the element of push is the address of the elements:
        `chunk` of them, at the last call as many as are left. What lies behind is not read.
        """
        return None

    def views(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[View, ...]:
        """Views that make the node a no-op when the plan can grant all of them; else ()."""
        return ()

    def permuted(self, inputs: Sequence[Tensor], axes: Axes) -> Relayout | None:
        """The same computation when the first activation is stored as ``x.transpose(axes)``.

        None when the operator cannot work on such a form. The result's `inputs` and `outputs`
        say in what order of axes all activations then are.
        """
        return None

    def reordered(self, inputs: Sequence[Tensor], order: Array) -> Relayout | None:
        """The same computation when the last axis of the first input comes in another order.

        ``stored[..., i] = logical[..., order[i]]``. The result's `order` is that of the outputs,
        None when they are as before; None for the whole when the operator cannot absorb it.
        """
        return None

    def reshaped(self, inputs: Sequence[Tensor], shapes: Sequence[Shape]) -> Relayout | None:
        """The same elements in the same order from activations viewed in other shapes.

        `shapes` has one entry an input; those of constants are to be ignored.
        """
        return None

    def padded(self, borders: Sequence[tuple[int, int]], value: float) -> Op | None:
        """The operator that on x does what this one does on x with a constant border.

        `borders` has (before, after) for each axis of the first input; None when the operator
        cannot add such a border by itself.
        """
        return None

    def tile(self, inputs: Sequence[Tensor], box: Box) -> Tile | None:
        """The operator for a rectangle of the output, and the rectangles of the inputs it reads.

        Every element must come out as it would in the whole. None when the output is no (h, w, c)
        tensor, or when a part of it needs more than a part of the input.
        """
        return None

    def weight_inputs(self, inputs: Sequence[Tensor]) -> Array | None:
        """Which input channel (last axis of input 0) each weight multiplies.

        An integer array that broadcasts to the shape of the weights (the constant that
        `QuantRule.weights` names), or None when the operator is not linear in its input.
        """
        return None

    def links(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> tuple[Link, ...]:
        """Which positions along axes can only be cut together.

        An axis, or a position, that no link names must stay whole; the default is that nothing
        around the node may be cut.
        """
        return ()

    def cut(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Op:
        """The same operator for tensors of which linked positions were cut away."""
        return self

    def resized(self, before: Sequence[Tensor], after: Sequence[Tensor]) -> Op:
        """The same operator for images of another size.

        Parameters
        ----------
        before, after
            The inputs as they were and as they are now, constants included.

        Raises
        ------
        GraphError
            When the operator has no meaning at the other size; shapes are left to `infer`.
        """
        return self

    def renumbered(
        self, inputs: Sequence[Tensor], stay: Sequence[Sequence[Array]]
    ) -> Mapping[int, Array]:
        """What constant inputs that hold positions become when positions were cut.

        `inputs` are those before the cut; ``stay[i][axis]`` are the positions of input i that are
        left. Input number -> its new data; the default is that no constant holds positions.
        """
        return {}

    def value_ranges(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], known: Sequence[Range]
    ) -> tuple[Range, ...] | None:
        """Between which values the outputs lie while the inputs lie within `known`; constants too.

        Who answers promises that cutting linked positions changes nothing else: an element of an
        output depends only on positions that are linked to its own and on what `addends` tells.
        None when nothing is known, or when nothing around the node may be cut unnoticed.
        """
        return None

    def addends(self, inputs: Sequence[Tensor], known: Sequence[Range]) -> Addends | None:
        """What each channel (last axis) of input 0 always adds to what the bias is added to.

        None for operators that do not sum channels up.
        """
        return None

    def lower(self, torch: Any, inputs: Sequence[Tensor], *values: Any) -> tuple[Any, ...]:
        """Compute the node in PyTorch, differentiably.

        Activations (``inputs[i].data is None``) carry a leading batch axis; constants do not.
        The module `torch` is handed in, so that operators need not import it.
        """
        raise GraphError(self.kind, "has no PyTorch lowering")

    def lower_training(
        self, torch: Any, inputs: Sequence[Tensor], *values: Any
    ) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Like `lower`, while training: outputs, and this batch's values for the inputs `measured`.

        Training moves those constants towards the batches' values instead of learning them.
        """
        return self.lower(torch, inputs, *values), ()
